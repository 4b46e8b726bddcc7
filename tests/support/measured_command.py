"""`joulemark measure` with a simulated sensor, and the run file that it leaves."""

from __future__ import annotations

from pathlib import Path

from joulemark.suite.records import RunFile
from joulemark.suite.results.run_files import read

QUICK = ("measure", "--sensor", "simulated:rapl/telegraph", "--zone", "CH", "--no-report")


def saved_run(home: Path) -> RunFile:
    (path,) = (home / "runs").glob("*.json")
    return read(path)
