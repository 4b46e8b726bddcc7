"""Weights & Biases: the run that the program has begun, or one of its own, which is kept offline."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joulemark.suite.trackers.base import Row, Tracker, metric_name

OFFLINE = "offline"
"""Nothing is sent until the user calls `wandb sync`. wandb's own default is to send."""


class WandbTracker(Tracker):
    """A run of Weights & Biases."""

    def __init__(self, run: Any, begun_here: bool = False) -> None:
        """Write to `run`, and finish it at the end if it was `begun_here`."""
        self._run = run
        self._begun_here = begun_here
        self._defined: set[str] = set()
        self.title = f"Weights & Biases run {run.id}" + (f" ({run.dir})" if run.settings.mode == OFFLINE else "")

    def describe(self, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        self._run.config.update({**parameters, **tags}, allow_val_change=True)

    def log(self, rows: Sequence[Row]) -> None:
        for row in rows:
            values: dict[str, float] = {f"{row.series}/{name}": value for name, value in row.values.items()}
            if row.index is None:
                self._run.summary.update(values)
                continue
            axis = f"{row.series}/index"
            for name in sorted(values.keys() - self._defined):
                self._run.define_metric(name, step_metric=axis)  # wandb's own steps only go up, and the user's do
            self._defined |= values.keys()
            self._run.log({axis: row.index, **values})

    def attach(self, paths: Sequence[Path]) -> None:
        import wandb

        artifact = wandb.Artifact(metric_name(f"joulemark-{paths[0].stem}").replace("/", "-"), type="joulemark")
        for path in paths:
            artifact.add_file(str(path))
        self._run.log_artifact(artifact)

    def close(self) -> None:
        if self._begun_here:
            self._run.finish()


def prepare() -> None:
    """Import the package. Reports of its errors are left out, unless the program has imported it before."""
    if "wandb" not in sys.modules:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb  # noqa: F401


def new(name: str, stamp: str, place: str) -> Tracker:  # noqa: ARG001 - wandb has a directory of its own
    """Return a new run: offline, unless WANDB_MODE says otherwise."""
    import wandb

    mode: Any = os.environ.get("WANDB_MODE") or OFFLINE
    settings = wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True)
    # Neither what the program prints nor its code is joulemark's to keep.
    run = wandb.init(name=f"{name} {stamp}", job_type="joulemark", mode=mode, settings=settings, save_code=False)
    return WandbTracker(run, begun_here=True)


def active() -> Tracker | None:
    """Return the run that the program has begun; None where there is none."""
    wandb: Any = sys.modules.get("wandb")
    run = getattr(wandb, "run", None)
    return WandbTracker(run) if run is not None else None


def of_object(thing: object) -> Tracker | None:
    """Return the tracker of a `wandb.Run`; None for anything else."""
    if type(thing).__module__.partition(".")[0] == "wandb" and hasattr(thing, "define_metric"):
        return WandbTracker(thing)
    return None
