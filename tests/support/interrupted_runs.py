"""Runs to be interrupted, and what is left of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from command import joulemark
from environments import known

MATMUL = (
    *("run", "--profile", "fast", "--framework", "pytorch", "--workload", "matmul", "--threads", "1"),
    *("--sensor", "simulated:rapl/constant", "--no-report", "--zone", "CH"),
    *known("pytorch"),
)
"""One case; signals, kills and journals are the same for any framework."""
TWO_CASES = (*MATMUL, "--workload", "stream")


def show(home: Path) -> dict[str, Any]:
    """Return the latest run."""
    shown = joulemark(home, "show", "latest", "--json")
    assert shown.returncode == 0, shown.stderr
    document: dict[str, Any] = json.loads(shown.stdout)
    return document


def trials(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all trials of a run."""
    return [trial for case in document["cases"] for trial in case["trials"]]


def files(home: Path) -> list[str]:
    """Return the suffixes of the files in the directory of runs."""
    return sorted(path.suffix for path in (home / "runs").iterdir())
