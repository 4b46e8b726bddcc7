"""The face for other people's code: run files, read and validated.

import joulemark

run = joulemark.read("20261101T120000Z-a1b2.json")
for case in run.cases:
    print(case.id, case.summary.throughput.value)
"""

from __future__ import annotations

import os
from pathlib import Path

from suite import __version__
from suite.errors import JoulemarkError
from suite.results.records import RunFile
from suite.results.records import read as _read

__all__ = ["JoulemarkError", "RunFile", "__version__", "read"]


def read(path: str | os.PathLike[str]) -> RunFile:
    """The run file at `path`. JoulemarkError, one line, where it is missing, broken, foreign or of the future."""
    return _read(Path(path))
