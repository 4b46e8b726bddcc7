"""A scratch project for the pytest plugin, whose packages are called as ours are, in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CONSTANT = "simulated:rapl/constant"
SLOW = "simulated:a100/constant"
"""Updates each 0.1 s, so that a window must be 5 s long."""

SUMS = """
from suite.sums import total


def test_total(benchmark):
    assert benchmark(total, 100_000) > 0
"""


def make(path: Path) -> Path:
    """A project whose packages are called as ours are."""
    for package in ("suite", "reports", "workloads"):
        (path / package).mkdir()
        (path / package / "__init__.py").write_text("OURS = False\n")
    (path / "suite" / "sums.py").write_text("def total(n):\n    return sum(range(n))\n")
    (path / "test_sums.py").write_text(SUMS)
    (path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider --benchmark-max-time=0.05\n")
    return path


def pytest_in(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m pytest ARGUMENTS`, which puts the project's own folder first on the path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JOULEMARK_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
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


def benchmarks(project: Path, *arguments: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """What pytest showed, and pytest-benchmark's JSON by the test's name."""
    answer = pytest_in(project, "--benchmark-json=out.json", *arguments)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout, {one["name"]: one for one in json.loads((project / "out.json").read_text())["benchmarks"]}
