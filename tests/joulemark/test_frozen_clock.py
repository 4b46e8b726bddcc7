"""Tests of a user's program that freeze time: windows and waits are read from a clock that they do not reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scratch_project import CONSTANT, pytest_in
from user_program import left_behind, processes_left, run_program

pytestmark = pytest.mark.slow

FROZEN = """
import pytest
from freezegun import freeze_time


@pytest.fixture
def month_end():
    with freeze_time("2024-02-29 23:59:00"):
        yield


def add(n):
    return sum(range(n))


def test_on_a_leap_day(month_end, benchmark):
    assert benchmark.pedantic(add, args=(900,), rounds=4, iterations=30) == 404550


def test_afterwards(benchmark):
    benchmark(add, 300)
"""


def test_a_session_finishes_and_later_tests_have_joules(project: Path) -> None:
    (project / "test_frozen.py").write_text(FROZEN)
    options = ("--joulemark", f"--joulemark-sensor={CONSTANT}", "--benchmark-json=out.json", "test_frozen.py")
    done = pytest_in(project, "-p", "no:randomly", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    by_name = {
        each["name"]: each["extra_info"] for each in json.loads((project / "out.json").read_text())["benchmarks"]
    }
    assert 0 < by_name["test_on_a_leap_day"]["joulemark"]["window_s"] < 60
    assert by_name["test_afterwards"]["energy_j"]["value"] > 0


PATCHES = {
    "freezegun": "freezegun.freeze_time('2024-02-29').start()",
    "monotonic": "mock.patch('time.monotonic', return_value=5.0).start()",
    "all": "[mock.patch(f'time.{name}', return_value=1e12).start()"
    " for name in ('time', 'time_ns', 'monotonic', 'monotonic_ns', 'perf_counter', 'sleep')]",
}

PROGRAM = """
import json
from unittest import mock
import freezegun
import joulemark
import time
if {late}:
    with joulemark.Meter(sensor="simulated:rapl/constant"):
        pass
{patch}
with joulemark.Meter(sensor="simulated:rapl/constant") as meter:
    sum(range(3_000_000))
print(json.dumps([meter.duration_s, meter.energy.value, meter.energy.reason]))
"""


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("patch", ["freezegun", "monotonic", "all"])
def test_a_meter_measures_with_every_clock_frozen(tmp_path: Path, patch: str, late: bool) -> None:
    """The program ends with its clocks still frozen."""
    duration_s, energy_j, reason = measured(tmp_path, PROGRAM.format(late=late, patch=PATCHES[patch]))
    assert 0 < duration_s < 60
    assert energy_j > 0, reason
    assert left_behind(tmp_path) == []


FUTURE = """
import json
import joulemark
meter = joulemark.Meter(sensor="simulated:rapl/constant")
meter.prepare()
future = meter.window(meter.mark() + 1e9, meter.mark() + 2e9)
with meter:
    sum(range(3_000_000))
print(json.dumps([future.energy.value, future.energy.reason, meter.energy.value]))
"""


def test_a_window_of_another_clock_is_not_waited_for(tmp_path: Path) -> None:
    future_j, reason, energy_j = measured(tmp_path, FUTURE)
    assert future_j is None
    assert reason
    assert energy_j > 0
    assert left_behind(tmp_path) == []


HANGING = """
import os, signal
import freezegun
import joulemark
from joulemark import meter_process
meter_process.STOP_TIMEOUT_S = 0.5
joulemark.Meter(sensor="simulated:rapl/constant").prepare()
freezegun.freeze_time("2024-02-29").start()
(process,) = meter_process._processes.values()
os.kill(process._process.pid, signal.SIGSTOP)
"""


def test_a_meter_process_that_hangs_is_killed_at_the_end(tmp_path: Path) -> None:
    assert run_program(tmp_path, HANGING).stderr == ""
    assert processes_left(tmp_path) == []


def measured(folder: Path, program: str) -> Any:
    """Return what `program` prints as JSON; it prints nothing else."""
    done = run_program(folder, program)
    assert done.stderr == ""
    return json.loads(done.stdout)
