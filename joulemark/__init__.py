"""Benchmark deep learning by speed, energy and carbon emissions.

    import joulemark

    with joulemark.Meter(zone="CH") as meter:
        train()
    print(meter.energy.value, "J", meter.emissions.value, "g")

    run = joulemark.read("20261101T120000Z-a1b2.json")
    run.to_pandas()

In a notebook: `%load_ext joulemark`, then `%%joulemark` measures a cell.

Names are imported on first use: trials and other child processes import `joulemark.suite` and need none of them.
`joulemark.KerasCallback`, `LightningCallback` and `TrainerCallback` import their framework, and are not in
`dir(joulemark)`: freezegun, help() and debuggers look at each name in it.
"""

from __future__ import annotations

import importlib
import os

TYPE_CHECKING = False  # without importing typing: the command starts here, and installs its signal handlers after this
if TYPE_CHECKING:
    from typing import Any, overload

    from joulemark.huggingface import TrainerCallback as TrainerCallback
    from joulemark.keras import KerasCallback as KerasCallback
    from joulemark.lightning import LightningCallback as LightningCallback
    from joulemark.measurement import Amount, Measurement, Reading
    from joulemark.meter import Meter
    from joulemark.notebook import load_ipython_extension as load_ipython_extension
    from joulemark.run_reader import Run as Run
    from joulemark.run_reader import Runs as Runs
    from joulemark.suite.errors import JoulemarkError
    from joulemark.suite.records import RunFile as RunFile

    __version__: str

__all__ = [
    "Amount",
    "JoulemarkError",
    "Measurement",
    "Meter",
    "Reading",
    "__version__",
    "read",
]
"""Names that import nothing but the standard library. `Run`, `Runs`, `RunFile` and the callbacks are as public."""

_MODULES = {
    "Amount": "measurement",
    "JoulemarkError": "suite.errors",
    "KerasCallback": "keras",
    "LightningCallback": "lightning",
    "Measurement": "measurement",
    "Meter": "meter",
    "Reading": "measurement",
    "Run": "run_reader",
    "RunFile": "suite.records",
    "Runs": "run_reader",
    "TrainerCallback": "huggingface",
    "load_ipython_extension": "notebook",
}
"""Module of each public name, below `joulemark`."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return globals().setdefault(name, _installed_version())
    if name not in _MODULES:
        raise AttributeError(f"module 'joulemark' has no attribute {name!r}")
    return getattr(importlib.import_module(f"joulemark.{_MODULES[name]}"), name)


def _installed_version() -> str:
    """Return the version of the installed distribution: a tag of git, or the distance to one and the commit.

    `0.0` in a checkout that is not installed.
    """
    # On first use: its import takes half as long as all else that the command starts with.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("joulemark")
    except PackageNotFoundError:
        return "0.0"


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:

    @overload
    def read(source: str | os.PathLike[str]) -> Run: ...
    @overload
    def read(source: list[Any] | tuple[Any, ...]) -> Runs: ...


def read(source: Any) -> Any:
    """Return a run, or several.

    Args:
        source: The path of a run file or a journal, the id of a run, a unique beginning of one, or `latest`, which give
            a `Run`; a list of these, or a directory, which give `Runs`. Both have `to_pandas` and `to_arrow`.

    Raises:
        JoulemarkError: where the file is missing, broken, not a run file, or of a newer schema. Of a directory, such
            files are left out with a warning.
    """
    from joulemark.run_reader import read as read_runs

    return read_runs(source)
