"""A scratch project with packages called `suite`, `reports`, `workloads` and `tests`, as a user may have them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CONSTANT = "simulated:rapl/constant"
SLOW = "simulated:a100/constant"
"""Updates every 0.1 s, so that a window must be 5 s long."""

PACKAGES = ("suite", "reports", "workloads", "tests")

SUMS = """
from suite.sums import total


def test_total(benchmark):
    assert benchmark(total, 100_000) > 0
"""

OWN_PACKAGES = """
import reports
import suite
import tests
import workloads


def test_own_packages():
    assert [package.OWNER for package in (suite, reports, workloads, tests)] == ["project"] * 4
"""


def make(path: Path) -> Path:
    """Make the project in the folder `path`, with one benchmark, and one test that its own packages are imported."""
    for package in PACKAGES:
        (path / package).mkdir()
        (path / package / "__init__.py").write_text('OWNER = "project"\n')
    (path / "suite" / "sums.py").write_text("def total(n):\n    return sum(range(n))\n")
    (path / "test_sums.py").write_text(SUMS)
    (path / "tests" / "test_own_packages.py").write_text(OWN_PACKAGES)
    (path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider --benchmark-max-time=0.05\n")
    return path


def python_in(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` in the project, with a joulemark home of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JOULEMARK_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={
            **clean,
            "JOULEMARK_HOME": str(project / "home"),
            "JOULEMARK_LOCK": str(project / "lock"),
            "COLUMNS": "300",
            "PYTHONPATH": "",
        },
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def pytest_in(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m pytest ARGUMENTS`, which puts the project's own folder first on the module path."""
    return python_in(project, "-m", "pytest", *arguments)


def benchmarks(project: Path, *arguments: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Run pytest, and return what it printed and pytest-benchmark's JSON by the name of the test."""
    done = pytest_in(project, "--benchmark-json=out.json", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((project / "out.json").read_text())
    return done.stdout, {benchmark["name"]: benchmark for benchmark in document["benchmarks"]}
