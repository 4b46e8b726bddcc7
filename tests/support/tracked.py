"""What trackers have written to disk, read back by their own packages, or by the format where a package reads none."""

from __future__ import annotations

import json
import struct
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Values = dict[str, dict[int, float]]
"""By name and step."""


def imported(name: str) -> Any:
    """Import a tracker's package. What it warns of as it is imported is its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return __import__(name)


class MlflowStore:
    """A store of files: mlflow-skinny has no other on disk, and mlflow itself another default."""

    def __init__(self, folder: Path) -> None:
        self.uri = f"file:{folder}/mlruns"
        self.variables = {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GIT_PYTHON_REFRESH": "quiet",
        }

    def runs(self) -> list[Any]:
        """Return all runs, the oldest first."""
        imported("mlflow")
        from mlflow import MlflowClient

        client = MlflowClient(self.uri)
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        return sorted(client.search_runs(experiments), key=lambda run: run.info.start_time)

    def values(self, run: Any) -> Values:
        """Return the metrics of a run."""
        from mlflow import MlflowClient

        client = MlflowClient(self.uri)
        names = run.data.metrics
        return {
            name: {metric.step: metric.value for metric in client.get_metric_history(run.info.run_id, name)}
            for name in names
        }

    def files(self, run: Any) -> dict[str, Path]:
        """Return the attached files by name."""
        folder = Path(run.info.artifact_uri.removeprefix("file://").removeprefix("file:")) / "joulemark"
        return {path.name: path for path in folder.iterdir()}


def tensorboard_values(folder: Path) -> Values:
    """Return the scalars in the event files of `folder`."""
    events = _events(folder)
    return {tag: {each.step: each.value for each in events.Scalars(tag)} for tag in events.Tags()["scalars"]}


def tensorboard_texts(folder: Path) -> dict[str, str]:
    """Return the texts in the event files of `folder`."""
    events = _events(folder)
    return {tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in events.Tags()["tensors"]}


def _events(folder: Path) -> Any:
    """Return what TensorBoard's own reader reads. It need not import TensorFlow."""
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("notf"))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return events


def wandb_records(folder: Path) -> Iterator[Any]:
    """Yield the records of the one offline run in `folder`: protocol buffers in LevelDB's log format."""
    imported("wandb")
    from wandb.proto import wandb_internal_pb2

    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    data, position, message = path.read_bytes(), 7, b""
    while position + 7 <= len(data):
        block_left = 32768 - position % 32768
        if block_left < 7:
            position += block_left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        message += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record = wandb_internal_pb2.Record()
            record.ParseFromString(message)
            message = b""
            yield record


def wandb_values(folder: Path) -> Values:
    """Return what was logged, by name and by the `index` of its series, and the rest of the summary at step 0."""
    logged: Values = {}
    summary: dict[str, float] = {}
    for record in wandb_records(folder):
        items = {_key(item): json.loads(item.value_json) for item in record.history.item}
        (index,) = [value for name, value in items.items() if name.endswith("/index")] or [0]
        for name, value in items.items():
            if name.startswith("joulemark/") and not name.endswith("/index"):
                logged.setdefault(name, {})[index] = value
        updates = {_key(update): update.value_json for update in record.summary.update}
        summary |= {name: json.loads(text) for name, text in updates.items() if name.startswith("joulemark/")}
    summary = {name: value for name, value in summary.items() if not name.endswith("/index")}
    return logged | {name: {0: value} for name, value in summary.items() if name not in logged}


def wandb_config(folder: Path) -> dict[str, str]:
    """Return the parameters of the run."""
    updates = [update for record in wandb_records(folder) for update in record.config.update]
    return {update.key: json.loads(update.value_json) for update in updates}


def wandb_files(folder: Path) -> dict[str, Path]:
    """Return the files that wait to be uploaded, by name."""
    contents = [entry for record in wandb_records(folder) for entry in record.artifact.manifest.contents]
    return {entry.path: Path(entry.local_path) for entry in contents}


def _key(item: Any) -> str:
    return item.key or "/".join(item.nested_key)
