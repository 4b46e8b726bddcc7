"""MLflow: a run in the store that the user has configured, or the one that the program has begun."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joulemark.suite.trackers.base import Row, Tracker

MAX_METRICS = 1000
"""Metrics in one request (`mlflow.utils.validation`)."""
MAX_PARAMETERS = 100
MAX_VALUE = 6000
"""Characters of a parameter; a tag may have more."""
FOLDER = "joulemark"
"""Of the artifacts."""


class MlflowTracker(Tracker):
    """A run of MLflow. It is written to by its id: it may have ended meanwhile, and another have begun."""

    def __init__(self, client: Any, run_id: str) -> None:
        """Write to the run `run_id` of `client`, an `MlflowClient`."""
        self._client = client
        self.run_id = run_id
        self.title = f"MLflow run {run_id}"

    def describe(self, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        from mlflow.entities import Param, RunTag

        there = self._client.get_run(self.run_id).data.params  # a parameter cannot be changed
        new = [Param(name, value[:MAX_VALUE]) for name, value in parameters.items() if name not in there]
        changed = {name: value for name, value in parameters.items() if there.get(name, value) != value[:MAX_VALUE]}
        tagged = [RunTag(name, value[:MAX_VALUE]) for name, value in {**tags, **changed}.items()]
        self._client.log_batch(self.run_id, params=new[:MAX_PARAMETERS], tags=tagged[:MAX_PARAMETERS])

    def log(self, rows: Sequence[Row]) -> None:
        from mlflow.entities import Metric

        metrics = [
            Metric(f"{row.series}/{name}", value, int(row.time_s * 1000), row.index or 0)
            for row in rows
            for name, value in row.values.items()
        ]
        for first in range(0, len(metrics), MAX_METRICS):
            self._client.log_batch(self.run_id, metrics=metrics[first : first + MAX_METRICS])

    def attach(self, paths: Sequence[Path]) -> None:
        for path in paths:
            self._client.log_artifact(self.run_id, str(path), FOLDER)

    def close(self) -> None:
        """Do nothing: every request has been written, and a run that was begun here has ended."""


def prepare() -> None:
    """Import the package. What it sends to its makers is left out, unless the program has imported it before."""
    if "mlflow" not in sys.modules:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow  # noqa: F401


def new(name: str, stamp: str, place: str) -> Tracker:  # noqa: ARG001 - the store is MLflow's own setting
    """Return a new run, which has ended but can be written to; that of MLFLOW_RUN_ID where it is set."""
    import mlflow

    with mlflow.start_run(run_name=f"{name} {stamp}") as run:
        return MlflowTracker(mlflow.MlflowClient(), run.info.run_id)


def active() -> Tracker | None:
    """Return the run that the program has begun in this thread; None where there is none."""
    mlflow: Any = sys.modules.get("mlflow")
    run = mlflow.active_run() if mlflow is not None else None
    return MlflowTracker(mlflow.MlflowClient(), run.info.run_id) if run is not None else None


def of_object(thing: object) -> Tracker | None:
    """Return the tracker of an `mlflow.entities.Run`; None for anything else."""
    entities: Any = sys.modules.get("mlflow.entities")
    if entities is None or not isinstance(thing, entities.Run):
        return None
    return MlflowTracker(sys.modules["mlflow"].MlflowClient(), thing.info.run_id)
