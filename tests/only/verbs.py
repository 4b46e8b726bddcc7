"""A short set of verbs with one framework or none: `tox -e only-pytorch,only-tensorflow,only-jax,no-framework`.

The command is that of the installed wheel. Tests of `tox -e py` do not include these: it has all frameworks.
"""

from __future__ import annotations

import json
import os
from importlib.metadata import distributions
from pathlib import Path

import nvml_library
import pytest
from command import FAST, joulemark
from nvml_library import FakeGpu
from places import DOCS

DISTRIBUTIONS = {"torch": "pytorch", "tensorflow": "tensorflow", "jax": "jax"}
INSTALLED = {DISTRIBUTIONS[each.name] for each in distributions() if each.name in DISTRIBUTIONS}
GPU = FakeGpu("GPU-aaaa1111-0000-0000-0000-000000000000")
KEPT = DOCS / "results" / "quick-2-cores.json"
"""A run file that was made with two of the frameworks."""

needs_framework = pytest.mark.skipif(not INSTALLED, reason="no framework is installed")


@pytest.fixture(scope="module", params=[False, True], ids=["no GPU", "GPU"])
def variables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables under which processes see a GPU, or none."""
    if not request.param:
        return {}
    library = nvml_library.environment(nvml_library.build(tmp_path_factory.mktemp("nvml")), [GPU])
    return {name: library[name] for name in ("LD_LIBRARY_PATH", "NVML_GPUS")}


@pytest.fixture(scope="module")
def home(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two kept runs, or none where there is no framework to measure."""
    home = tmp_path_factory.mktemp("home")
    (home / "joulemark.toml").write_text(FAST)
    run = ("run", "--profile", "fast", "--workload", "matmul", "--rounds", "1", "--no-report")
    for _ in range(2 if INSTALLED else 0):
        done = joulemark(home, *run, variables=variables)
        assert done.returncode == 0, done.stderr
    return home


def test_doctor_has_a_row_for_each_framework(home: Path, variables: dict[str, str]) -> None:
    done = joulemark(home, "doctor", "--json", variables=variables)
    assert (done.returncode, done.stderr) == (0 if variables else 4, "")
    checks = json.loads(done.stdout)["checks"]
    frameworks = {check["name"]: check for check in checks if check["kind"] == "framework"}
    assert {name for name, check in frameworks.items() if check["readable"]} == INSTALLED
    for name in set(frameworks) - INSTALLED:
        assert not frameworks[name]["found"]
        assert frameworks[name]["fix"] == f"pip install 'joulemark[{name}]'"
    assert any(check["name"] == "cuda:0" for check in checks) == bool(variables)


def test_list_has_all_workloads(home: Path, variables: dict[str, str]) -> None:
    done = joulemark(home, "list", "--json", variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["workloads"]) > 30


@needs_framework
def test_only_what_is_installed_would_be_run(home: Path, variables: dict[str, str]) -> None:
    done = joulemark(home, "list", "--cases", "--json", variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    cases = json.loads(done.stdout)["cases"]
    assert {case["id"].split("/")[2] for case in cases if case["reason"] is None} == INSTALLED
    for case in cases:
        framework = case["id"].split("/")[2]
        assert framework in INSTALLED or f"Run: pip install 'joulemark[{framework}]'" in case["reason"]


@needs_framework
def test_a_run_is_shown_reported_and_exported(home: Path, variables: dict[str, str]) -> None:
    document = json.loads(joulemark(home, "show", "latest", "--json", variables=variables).stdout)
    assert {case["framework"] for case in document["cases"] if case["status"] == "ok"} == INSTALLED
    assert bool(document["machine"]["gpus"]) == bool(variables)
    for command in (
        ("show", "latest"),
        ("report", "latest", "-o", "page.html"),
        ("export", "latest", "--format", "csv"),
    ):
        done = joulemark(home, *command, variables=variables)
        assert done.returncode == 0, done.stderr
    assert (home / "page.html").stat().st_size > 100_000


@needs_framework
def test_two_runs_are_compared(home: Path, variables: dict[str, str]) -> None:
    runs = sorted(str(path) for path in (home / "runs").glob("*.json"))
    done = joulemark(home, "compare", *runs, variables=variables)
    assert done.returncode == 0, done.stderr
    assert "matmul:tiny" in done.stdout


def test_run_says_which_extra_to_install(home: Path, variables: dict[str, str]) -> None:
    for name in {*DISTRIBUTIONS.values()} - INSTALLED:
        done = joulemark(home, "run", "--framework", name, variables=variables)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"is not installed. Run: pip install 'joulemark[{name}]'." in done.stderr
    if not INSTALLED:
        done = joulemark(home, "run", variables=variables)
        assert (done.returncode, done.stdout) == (2, "")
        assert all(f"pip install 'joulemark[{name}]'" in done.stderr for name in DISTRIBUTIONS.values())


@pytest.mark.skipif(bool(INSTALLED), reason="runs that were made here are read")
def test_files_of_another_machine_are_read(home: Path, variables: dict[str, str]) -> None:
    """Run files need no framework."""
    for command in (
        ("show", str(KEPT)),
        ("report", str(KEPT), "-o", "kept.html"),
        ("compare", str(KEPT), "--by", "framework"),
        ("export", str(KEPT), "--format", "markdown"),
    ):
        done = joulemark(home, *command, variables=variables)
        assert done.returncode == 0, done.stderr


def test_the_environment_has_what_its_name_says() -> None:
    """An extra brings one framework, and a plain installation none."""
    if "ONLY_FRAMEWORK" not in os.environ:
        pytest.skip("set by tox")
    assert set(os.environ["ONLY_FRAMEWORK"].split()) == INSTALLED
