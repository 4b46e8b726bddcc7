"""`pytest --joulemark` in a user's project: an unchanged benchmark gains joules and grams.

The sensor is a simulated counter of known power, so that energy can be compared with power x time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scratch_project import CONSTANT, SLOW, benchmarks, make, pytest_in

from joulemark.pytest_plugin.call_energy import UPDATES_NEEDED
from joulemark.suite.energy import window_energy
from joulemark.suite.sensors.simulated_loads import constant

pytestmark = pytest.mark.slow

POWER = """
from suite.sums import total


def test_power(benchmark):
    benchmark(total, 5)
"""

MODULES = """
import sys


def test_the_harness_is_not_imported():
    assert not {"joulemark.suite.sensors", "joulemark.suite.records", "joulemark.suite.results"} & set(sys.modules)


def test_pytest_rewrites_no_other_package_of_that_name():
    import suite
    assert type(suite.__loader__).__name__ == "SourceFileLoader"
"""

NOT_IMPORTED = """
import sys


def test_only_the_plugin_is_imported():
    names = {name for name in sys.modules if name.startswith("joulemark")}
    assert names == {"joulemark", "joulemark.pytest_plugin"}
    assert not {"numpy", "pydantic", "typer", "rich", "psutil", "torch", "tensorflow"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, dict[str, Any]]]:
    """What pytest printed and measured with the option, compared with a saved run without it."""
    project = make(tmp_path_factory.mktemp("project"))
    done = pytest_in(project, "--benchmark-save=one")
    assert done.returncode == 0, done.stdout + done.stderr
    (saved,) = (project / ".benchmarks").rglob("*.json")
    document = json.loads(saved.read_text())
    document["benchmarks"][0]["extra_info"]["energy_j"] = {"value": 123.25, "kind": "counter"}
    saved.write_text(json.dumps(document))
    (project / "test_power.py").write_text(POWER)
    (project / "test_modules.py").write_text(MODULES)
    options = ("--joulemark", "--joulemark-zone=CH", f"--joulemark-sensor={CONSTANT}")
    return benchmarks(project, *options, "--benchmark-compare", "-W", "error", "-W", "ignore:Benchmark machine_info")


def test_an_unchanged_test_gains_joules_and_grams(measured: tuple[str, dict[str, Any]]) -> None:
    info = measured[1]["test_total"]["extra_info"]
    energy, emissions, details = info["energy_j"], info["emissions_g"], info["joulemark"]
    assert energy["kind"] == "counter"
    assert energy["low"] <= energy["value"] <= energy["high"]
    # Power x time of the window over its calls; a kilowatt-hour is 3.6e6 J.
    assert energy["value"] == pytest.approx(details["power_w"] * details["window_s"] / details["calls"], rel=1e-9)
    assert details["intensity"]["zone"] == "CH"
    assert emissions["value"] == pytest.approx(energy["value"] / 3.6e6 * details["intensity"]["g_per_kwh"], rel=1e-9)


def test_power_is_that_of_the_simulated_sensor(measured: tuple[str, dict[str, Any]]) -> None:
    """Its power is constant and its gain 1: number and length of the calls do not matter."""
    expected_w = float(np.diff(constant().energy_j(np.array([0.0, 100.0])))[0]) / 100
    for benchmark in measured[1].values():
        assert benchmark["extra_info"]["joulemark"]["power_w"] == pytest.approx(expected_w, rel=0.01)


def test_the_table_has_two_more_columns(measured: tuple[str, dict[str, Any]]) -> None:
    lines = measured[0].splitlines()
    header = next(line for line in lines if line.startswith("Name (time in"))
    assert header.endswith("g CO2e/call")
    assert "J/call" in header
    rows = [line for line in lines if line.startswith(("test_total (", "test_power "))]
    assert len(rows) == 3
    assert {len(row) for row in rows} == {len(header)}
    # A simulated package has no memory domain: a component is missing.
    assert ["≥" in row for row in rows] == ["0001_one" not in row for row in rows]
    assert "whole processor" in measured[0]


def test_a_saved_run_keeps_its_own_joules(measured: tuple[str, dict[str, Any]]) -> None:
    (row,) = (line for line in measured[0].splitlines() if line.startswith("test_total (0001_one"))
    energy, *emissions = row.split()[-3:]
    assert energy.startswith("123")
    assert emissions == ["not", "measured"]


def test_without_the_option_only_the_plugin_is_imported(project: Path) -> None:
    (project / "test_modules.py").write_text(NOT_IMPORTED)
    done = pytest_in(project, "-W", "error", "--strict-markers", "test_modules.py", "test_sums.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "J/call" not in done.stdout


SLEEP = """
import time


def test_sleep(benchmark):
    benchmark(time.sleep, 0.01)
"""


def test_a_window_is_as_long_as_the_sensor_needs(project: Path) -> None:
    assert UPDATES_NEEDED > window_energy.UPDATES_NEEDED
    (project / "test_sums.py").write_text(SLEEP)
    _, by_name = benchmarks(project, "--joulemark", f"--joulemark-sensor={SLOW}")
    info = by_name["test_sleep"]["extra_info"]
    assert info["joulemark"]["window_s"] >= UPDATES_NEEDED * 0.1
    assert info["energy_j"]["value"] > 0


PARTLY_MEASURED = """
import time


def test_sleep(benchmark):
    benchmark(time.sleep, 0.01)


def test_never_called(benchmark):
    benchmark.pedantic(len, ("abc",), setup=lambda: None, rounds=0)


def test_too_short(benchmark):
    benchmark.pedantic(len, setup=lambda: (("abc",), {}), rounds=3)
"""


def test_lines_of_measured_and_unmeasured_tests_do_not_contradict(project: Path) -> None:
    (project / "test_sums.py").write_text(PARTLY_MEASURED)
    done = pytest_in(project, "--joulemark", f"--joulemark-sensor={SLOW}")
    _, _, section = done.stdout.partition(" joulemark =")
    lines = section.splitlines()[1:]
    (covered,) = [line for line in lines if line.startswith("Energy:")]
    assert covered.startswith("Energy: simulated; memory not measured; whole processor, other programs included.")
    assert not any("no sensor" in line or "nothing was measured" in line for line in lines)
    unmeasured = [line for line in lines if line.startswith("not measured:")]
    assert ["test_too_short" in line for line in unmeasured if "below resolution" in line] == [True]


def test_without_any_result_there_is_no_line_about_energy(project: Path) -> None:
    """Such as the grid that would have been used."""
    (project / "test_sums.py").write_text(PARTLY_MEASURED)
    done = pytest_in(project, "--joulemark", "--joulemark-sensor=nvml", "-k", "test_too_short")
    lines = done.stdout.partition(" joulemark =")[2].splitlines()[1:-1]
    assert [line.partition(":")[0] for line in lines] == ["not measured"]


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
def test_what_cannot_work_is_one_line(project: Path, options: list[str], words: str) -> None:
    (project / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    done = pytest_in(project, *options)
    assert done.returncode not in (0, 1), done.stdout
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr


def test_an_option_without_effect_is_reported(project: Path) -> None:
    done = pytest_in(project, "--joulemark-zone", "CH", "--benchmark-disable")
    assert done.returncode == 0, done.stdout
    assert "joulemark: --joulemark-zone" in done.stdout
    assert "joulemark: --" not in pytest_in(project, "--benchmark-disable").stdout
