"""A project with packages called `suite`, `reports`, `workloads` and `tests`: all of joulemark works in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import FAST
from command import joulemark as joulemark_command
from environments import known
from run_files import run_file
from scratch_project import CONSTANT, benchmarks, pytest_in, python_in

import joulemark
from joulemark.suite.records import write
from joulemark.suite.results.run_files import read

pytestmark = pytest.mark.slow

TINY = ("--device", "cpu", "--size", "tiny", "--workload", "matmul", "--framework", "pytorch", "--mode", "eager")


def test_pytest(project: Path) -> None:
    done = pytest_in(project, "-rA")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED tests/test_own_packages.py::test_own_packages" in done.stdout
    assert "PASSED test_sums.py::test_total" in done.stdout


def test_pytest_with_the_plugin(project: Path) -> None:
    printed, by_name = benchmarks(project, "--joulemark", f"--joulemark-sensor={CONSTANT}", "-rA")
    assert "PASSED tests/test_own_packages.py::test_own_packages" in printed
    assert by_name["test_total"]["extra_info"]["energy_j"]["value"] > 0


def test_run(project: Path) -> None:
    (project / "joulemark.toml").write_text(FAST)
    options = ("--profile", "fast", *TINY, "--rounds", "1", "--threads", "1", "--sensor", CONSTANT, "--zone", "CH")
    done = python_in(project, "-m", "joulemark", "run", *options, *known("pytorch"))
    assert done.returncode == 0, done.stderr
    (path,) = (project / "home" / "runs").glob("*.json")
    (case,) = read(path).cases
    assert case.status == "ok"
    assert path.with_suffix(".html").exists()


@pytest.mark.parametrize("arguments", ["list", "show run.json", "report run.json -o page.html"])
def test_the_project_on_the_module_path(project: Path, arguments: str) -> None:
    write(run_file(), project / "run.json")
    done = joulemark_command(project, *arguments.split(), variables={"PYTHONPATH": str(project)})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["suite", "workloads", "reports"])
def test_folders_without_an_init_file(tmp_path: Path, package: str) -> None:
    """Namespace packages (PEP 420), which any regular package of the same name hides, wherever it is installed."""
    (tmp_path / package).mkdir()
    (tmp_path / package / "own.py").write_text("VALUE = 7")
    program = f"import joulemark; joulemark.Meter; from {package}.own import VALUE; print(VALUE)"
    assert python_in(tmp_path, "-c", program).stdout == "7\n"


PROGRAM = """
import json, sys, time
import joulemark
packages = {"suite", "reports", "workloads", "tests", "pydantic", "numpy", "psutil", "torch", "tensorflow", "keras"}
imported = sorted(name for name in sys.modules if name.partition(".")[0] in packages)
with joulemark.Meter("loop", zone="CH", sensor="simulated:rapl/constant") as meter:
    time.sleep(0.3)
energy_j = meter.energy.value
trials = joulemark.read(meter.save("loop.json")).cases[0].trials
try:
    joulemark.read("missing.json")
except joulemark.JoulemarkError as error:
    message = str(error)
import suite, reports, workloads, tests
print(json.dumps([imported, energy_j, trials[0].energy[0].energy_j, message, joulemark.__version__,
                  suite.OWNER, reports.OWNER, workloads.OWNER, tests.OWNER]))
"""


def test_meter(project: Path) -> None:
    (project / "program.py").write_text(PROGRAM)
    done = python_in(project, "program.py")
    assert done.returncode == 0, done.stderr
    imported, energy_j, saved_j, message, version, *owners = json.loads(done.stdout)
    assert imported == []
    assert energy_j == pytest.approx(saved_j, rel=1e-9)
    assert energy_j > 0
    assert "missing.json" in message
    assert version == joulemark.__version__
    assert owners == ["project"] * 4
    assert done.stderr == ""
