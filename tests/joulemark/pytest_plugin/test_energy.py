"""`pytest --joulemark` in another project: an unchanged benchmark gains joules and grams.

Energy comes from a simulated board of known power, so that joules can be held against power x time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scratch_project import CONSTANT, SLOW, benchmarks, make, pytest_in

from joulemark.pytest_plugin.percall import UPDATES_NEEDED
from joulemark.suite.energy import window_energy
from joulemark.suite.sensors.simulated_loads import constant

POWER = """
from suite.sums import total


def test_power(benchmark):
    benchmark(total, 5)
"""

MODULES = """
import sys

import reports
import suite
import workloads


def test_modules():
    assert not (suite.OURS or reports.OURS or workloads.OURS)
    assert not {"joulemark.suite.sensors", "joulemark.suite.records", "joulemark.suite.results"} & set(sys.modules)
    assert type(suite.__loader__).__name__ == "SourceFileLoader"  # pytest rewrites only the plugin's package
"""

NOTHING = (
    MODULES
    + """

def test_nothing():
    ours = {name for name in sys.modules if name.startswith("joulemark")}
    assert ours == {"joulemark", "joulemark.pytest_plugin"}
    assert not {"numpy", "pydantic", "typer", "rich", "psutil", "torch", "tensorflow"} & set(sys.modules)
"""
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, dict[str, Any]]]:
    """An existing test, run as it stands and saved, then once more with one option, and compared with the first."""
    project = make(tmp_path_factory.mktemp("project"))
    answer = pytest_in(project, "--benchmark-save=one")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    (saved,) = (project / ".benchmarks").rglob("*.json")
    document = json.loads(saved.read_text())
    document["benchmarks"][0]["extra_info"]["energy_j"] = {"value": 123.25, "kind": "counter"}
    saved.write_text(json.dumps(document))
    (project / "test_power.py").write_text(POWER)
    (project / "test_modules.py").write_text(MODULES)
    given = ("--joulemark", "--joulemark-zone=CH", f"--joulemark-sensor={CONSTANT}")
    return benchmarks(project, *given, "--benchmark-compare", "-W", "error", "-W", "ignore:Benchmark machine_info")


def test_one_option_gives_an_unchanged_test_joules_and_grams(measured: tuple[str, dict[str, Any]]) -> None:
    info = measured[1]["test_total"]["extra_info"]
    energy, grams, more = info["energy_j"], info["emissions_g"], info["joulemark"]
    assert energy["kind"] == "counter"
    assert energy["low"] <= energy["value"] <= energy["high"]
    # Power x time of the window, shared among its calls; grams by the definition of a kilowatt-hour.
    assert energy["value"] == pytest.approx(more["power_w"] * more["window_s"] / more["calls"], rel=1e-9)
    assert more["intensity"]["zone"] == "CH"
    assert grams["value"] == pytest.approx(energy["value"] / 3.6e6 * more["intensity"]["g_per_kwh"], rel=1e-9)


def test_the_power_of_the_board_is_what_comes_out(measured: tuple[str, dict[str, Any]]) -> None:
    """Its load is constant and its gain 1, so that the calls' number and length do not matter."""
    two = np.array([0.0, 100.0])
    expected_w = float(np.diff(constant().energy_j(two))[0]) / 100
    for one in measured[1].values():
        assert one["extra_info"]["joulemark"]["power_w"] == pytest.approx(expected_w, rel=0.01)


def test_pytest_benchmarks_table_has_two_more_columns(measured: tuple[str, dict[str, Any]]) -> None:
    lines = measured[0].splitlines()
    heads = next(line for line in lines if line.startswith("Name (time in"))
    assert heads.endswith("g CO2e/call")
    assert "J/call" in heads
    rows = [line for line in lines if line.startswith(("test_total (", "test_power "))]
    assert len(rows) == 3
    assert {len(row) for row in rows} == {len(heads)}
    # A simulated package has no memory domain: a part is missing, and said to be.
    assert ["≥" in row for row in rows] == ["0001_one" not in row for row in rows]
    assert "whole processor" in measured[0]


def test_a_saved_run_is_shown_with_its_own_joules(measured: tuple[str, dict[str, Any]]) -> None:
    (row,) = (line for line in measured[0].splitlines() if line.startswith("test_total (0001_one"))
    joules, *grams = row.split()[-3:]
    assert joules.startswith("123")
    assert grams == ["not", "measured"]


def test_without_the_option_nothing_of_ours_is_imported(project: Path) -> None:
    (project / "test_modules.py").write_text(NOTHING)
    answer = pytest_in(project, "-W", "error", "--strict-markers", "test_modules.py", "test_sums.py")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "J/call" not in answer.stdout


SLEEP = """
import time


def test_sleep(benchmark):
    benchmark(time.sleep, 0.01)
"""


def test_a_window_is_as_long_as_the_sensor_needs(project: Path) -> None:
    assert UPDATES_NEEDED > window_energy.UPDATES_NEEDED
    (project / "test_sums.py").write_text(SLEEP)
    _, found = benchmarks(project, "--joulemark", f"--joulemark-sensor={SLOW}")
    info = found["test_sleep"]["extra_info"]
    assert info["joulemark"]["window_s"] >= UPDATES_NEEDED * 0.1
    assert info["energy_j"]["value"] > 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--joulemark", "--joulemark-zone=XQ"], "'XQ'"),
        (["--joulemark", "-p", "no:benchmark"], "-p no:benchmark"),
        (["--joulemark", "-n", "2"], "-n 0"),
        (["--joulemark-suite=--workload 'x"], "No closing quotation"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_line(project: Path, options: list[str], words: str) -> None:
    (project / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    answer = pytest_in(project, *options)
    assert answer.returncode not in (0, 1), answer.stdout
    assert words in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr
    assert "INTERNALERROR" not in answer.stdout + answer.stderr


def test_an_option_that_does_nothing_by_itself_is_told(project: Path) -> None:
    done = pytest_in(project, "--joulemark-zone", "CH", "--benchmark-disable")
    assert done.returncode == 0, done.stdout
    assert "joulemark: --joulemark-zone does nothing without --joulemark." in done.stdout
    assert "does nothing" not in pytest_in(project, "--benchmark-disable").stdout
