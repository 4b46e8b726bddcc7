"""Tests of a user's program that freeze time: windows and waits are read from a clock that they do not reach."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from command import environment
from scratch_project import CONSTANT, pytest_in

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
    duration_s, energy_j, reason = json.loads(run(tmp_path, PROGRAM.format(late=late, patch=PATCHES[patch])))
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
    future_j, reason, energy_j = json.loads(run(tmp_path, FUTURE))
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
    assert run(tmp_path, HANGING) == ""
    assert left_behind(tmp_path) == []


def run(folder: Path, program: str) -> str:
    """Run `program` to its end; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=environment(folder, JOULEMARK_TEST=str(folder)),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def left_behind(folder: Path) -> list[list[str]]:
    """Return the command lines of processes that a program in `folder` has left, once those that end have ended."""
    own = [process for process in psutil.process_iter() if _folder(process) == str(folder)]
    return [process.cmdline() for process in psutil.wait_procs(own, timeout=20)[1]]


def _folder(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("JOULEMARK_TEST")
    except psutil.Error:
        return None
