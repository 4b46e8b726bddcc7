"""docs/own-workload.md: its files and commands, as they stand there, make a workload that runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import FAST, environment
from environments import environment_like_this, known
from places import DOCS

pytestmark = pytest.mark.slow

PAGE = (DOCS / "own-workload.md").read_text()
FILES = re.findall(r"^`([\w/.]+)`[^\n]*\n\n```(?:toml|python)\n(.*?)```", PAGE, re.S | re.M)
EMPTY = re.findall(r"`([\w/]+/__init__\.py)`", PAGE)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment in which the page's package is installed as the page says."""
    folder = tmp_path_factory.mktemp("own")
    for name, text in [*FILES, *((name, "") for name in EMPTY)]:
        path = folder / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    interpreter = environment_like_this(folder / "environment")
    assert "pip install -e ." in PAGE
    # Joulemark and the build backend are there already, and nothing is downloaded.
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", interpreter, "install", *options, "-e", str(folder / "project")],
        check=True,
        timeout=300,
    )
    return interpreter


def run(python: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`joulemark ARGUMENTS` of the page's environment."""
    return subprocess.run(
        [python, "-P", "-c", "from joulemark.suite.cli.app import main; main()", *arguments],
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_page_has_all_files() -> None:
    names = {name for name, _ in FILES} | set(EMPTY)
    assert names == {
        "pyproject.toml",
        "my_workloads/__init__.py",
        *(f"my_workloads/two_layers/{name}.py" for name in ("__init__", "spec", "pytorch", "tensorflow")),
    }


def test_it_is_listed_though_it_has_no_size_base(python: str, tmp_path: Path) -> None:
    listed = run(python, tmp_path, "list")
    assert listed.returncode == 0, listed.stderr
    assert "two_layers" in listed.stdout
    answer = json.loads(run(python, tmp_path, "list", "--json").stdout)
    (own,) = (workload for workload in answer["workloads"] if workload["name"] == "two_layers")
    assert list(own["sizes"]) == ["tiny", "small"]
    assert own["sizes"]["tiny"]["parameters"] == 64 * 32 + 32 + 32 * 10 + 10
    assert set(own["frameworks"]) == {"pytorch", "tensorflow"}


def test_it_runs_in_both_frameworks(python: str, tmp_path: Path) -> None:
    assert "joulemark run --workload two_layers --size tiny" in PAGE
    (tmp_path / "joulemark.toml").write_text(FAST)
    selection = ("--workload", "two_layers", "--size", "tiny", "--profile", "fast", "--rounds", "1", "--threads", "1")
    more = ("--sensor", "simulated:rapl/constant", *known(python=python))
    done = run(python, tmp_path, "run", *selection, *more, "--no-report", "--json")
    assert done.returncode == 0, done.stderr
    cases = [case for case in json.loads(done.stdout)["cases"] if case["status"] != "skipped"]  # it has no JAX
    assert {(case["framework"], case["phase"], case["status"]) for case in cases} == {
        (framework, phase, "ok") for framework in ("pytorch", "tensorflow") for phase in ("inference", "training")
    }
    assert all(re.fullmatch(r"[0-9a-f]{12}", case["workload_version"]) for case in cases)
    assert len({case["workload_version"] for case in cases}) == 2


def test_both_frameworks_print_the_same_numbers(python: str) -> None:
    (script,) = re.findall(r"```python\n(import numpy as np\n\nfrom joulemark\.workloads\.kits.*?)```", PAGE, re.S)
    printed = []
    for framework in ("pytorch", "tensorflow"):
        text = script.replace("kits.pytorch", f"kits.{framework}").replace('"pytorch"', f'"{framework}"')
        command = [python, "-c", text.replace("print(", "print('NUMBERS', ")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        printed.append([float(x) for x in re.findall(r"\d+\.\d+(?:e-?\d+)?", done.stdout.split("NUMBERS")[1])])
    assert len(printed[0]) == 5
    assert printed[0] == pytest.approx(printed[1], rel=1e-6)
