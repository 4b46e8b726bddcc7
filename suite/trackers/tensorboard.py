"""TensorBoard: event files of its own, or the program's SummaryWriter.

Own files are written by parts of the package `tensorboard` that import neither torch nor TensorFlow, which its
SummaryWriter does wherever it is installed. A value is a float32, as in every scalar of TensorBoard.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joulemark.suite.trackers.base import Row, Tracker, metric_name

FOLDER = "runs"
"""Where SummaryWriters put their directories, and people point `tensorboard --logdir`."""


class EventFile:
    """An event file, with those methods of a SummaryWriter that are needed here. Each call writes at once."""

    def __init__(self, directory: Path) -> None:
        """Begin a file in `directory`. OSError where it cannot be written."""
        from tensorboard.summary.writer.record_writer import RecordWriter

        directory.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}.joulemark"
        self.log_dir = directory
        self._file = (directory / name).open("wb")
        self._records = RecordWriter(self._file)
        self._write(time.time(), file_version="brain.Event:2")  # what readers take for a file of events

    def add_scalar(self, name: str, value: float, step: int, time_s: float) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._write(time_s, step=step, summary=Summary(value=[Summary.Value(tag=name, simple_value=value)]))

    def add_text(self, name: str, text: str) -> None:
        from tensorboard.plugins.text.summary_v2 import text_pb

        self._write(time.time(), step=0, summary=text_pb(f"{name}/text_summary", text))  # named as torch does

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _write(self, time_s: float, **fields: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._records.write(Event(wall_time=time_s, **fields).SerializeToString())
        self._file.flush()


class TensorboardTracker(Tracker):
    """A writer of event files."""

    def __init__(self, writer: Any, directory: Path | None, begun_here: bool = False) -> None:
        """Write by `writer`, a SummaryWriter, and close it at the end if it was `begun_here`.

        Args:
            writer: The writer.
            directory: Where its event files are; None where it does not say.
            begun_here: Whether it is joulemark's.
        """
        self._writer = writer
        self._directory = directory
        self._begun_here = begun_here
        self.title = f"TensorBoard directory {directory}"

    def describe(self, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        lines = [f"| {_cell(name)} | {_cell(value)} |" for name, value in {**parameters, **tags}.items()]
        self._writer.add_text("joulemark/parameters", "\n".join(["| name | value |", "|---|---|", *lines]))

    def log(self, rows: Sequence[Row]) -> None:
        for row in rows:
            for name, value in row.values.items():
                self._writer.add_scalar(f"{row.series}/{name}", value, row.index or 0, row.time_s)
        self._writer.flush()  # what a SummaryWriter still has in its queue follows later

    def attach(self, paths: Sequence[Path]) -> None:
        """Copy the files beside the event files, since these hold none, and name them in a text."""
        if self._directory is None:
            return
        folder = self._directory / "joulemark"
        folder.mkdir(parents=True, exist_ok=True)
        copies = [Path(shutil.copy(path, folder)) for path in paths]
        self._writer.add_text("joulemark/files", "\n".join(f"- `{copy}`" for copy in copies))
        self._writer.flush()

    def close(self) -> None:
        if self._begun_here:
            self._writer.close()


def prepare() -> None:
    """Import what is needed of the package."""
    import tensorboard.plugins.text.summary_v2
    import tensorboard.summary.writer.record_writer  # noqa: F401


def new(name: str, stamp: str, place: str) -> Tracker:
    """Return a new directory of event files: `place`, or one in `runs`."""
    directory = Path(place) if place else Path(FOLDER) / metric_name(f"{name}-{stamp}").replace("/", "-")
    return TensorboardTracker(EventFile(directory.absolute()), directory.absolute(), begun_here=True)


def active() -> Tracker | None:
    """Return None: TensorBoard has no current run, and a program passes its writer instead."""
    return None


def of_object(thing: object) -> Tracker | None:
    """Return the tracker of a SummaryWriter of torch or tensorboardX; None for anything else."""
    if not all(callable(getattr(thing, name, None)) for name in ("add_scalar", "add_text", "flush")):
        return None
    directory = getattr(thing, "log_dir", None) or getattr(thing, "logdir", None)  # torch, tensorboardX
    return TensorboardTracker(thing, Path(directory).absolute() if isinstance(directory, str | Path) else None)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
