"""Joules and grams of anybody's own code, and run files, read and validated.

    import joulemark

    with joulemark.Meter(zone="CH") as meter:
        train()
    print(meter.energy.value, "J", meter.emissions.value, "g")

    run = joulemark.read("20261101T120000Z-a1b2.json")

Nothing of the harness is imported by its name: a project may have packages called `suite` or `reports` of its own.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulemark import house
from joulemark.measurement import Amount, Measurement, Reading
from joulemark.meter import Meter

if TYPE_CHECKING:
    from joulemark.huggingface import TrainerCallback
    from joulemark.keras import KerasCallback
    from joulemark.lightning import LightningCallback
    from suite import __version__
    from suite.errors import JoulemarkError
    from suite.results.records import RunFile

__all__ = [
    "Amount",
    "JoulemarkError",
    "KerasCallback",
    "LightningCallback",
    "Measurement",
    "Meter",
    "Reading",
    "RunFile",
    "TrainerCallback",
    "__version__",
    "read",
]

CALLBACKS = {
    "KerasCallback": "joulemark.keras",
    "LightningCallback": "joulemark.lightning",
    "TrainerCallback": "joulemark.huggingface",
}
"""Each imports its framework, and is imported when it is asked for."""

HARNESS = {"JoulemarkError": "suite.errors", "RunFile": "suite.results.records", "__version__": "suite"}


def __getattr__(name: str) -> Any:
    if name in CALLBACKS:
        return getattr(importlib.import_module(CALLBACKS[name]), name)
    if name in HARNESS:
        return getattr(house.module(HARNESS[name]), name)
    raise AttributeError(f"module 'joulemark' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def read(path: str | os.PathLike[str]) -> RunFile:
    """The run file at `path`. JoulemarkError, one line, where it is missing, broken, foreign or of the future."""
    run_file: RunFile = house.module("suite.results.records").read(Path(path))
    return run_file
