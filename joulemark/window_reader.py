"""Read the windows of one meter through the meter process of the program."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joulemark import meter_process
from joulemark.measurement import Document, Measurement, unavailable
from joulemark.node_rank import NodeRank, this_rank
from joulemark.suite.errors import JoulemarkError, MeasurementError, UsageError
from joulemark.suite.system.ranks import Rank

BATCH_SIZE = 1000
"""Windows in one request: so many take the meter process a second or two."""

WindowSum = tuple[float | None, dict[str, float]]
"""Energy of a window, joules, None where not measured; and that of each component that was."""

_reading = threading.Lock()
"""Held while windows are read, of all meters: a forked child makes it anew, since a thread may have held it."""


class WindowReader:
    """The windows of one meter, from marks to results."""

    def __init__(
        self,
        name: str,
        given: Mapping[str, Any],
        sensors: tuple[str, ...],
        about: Mapping[str, Any],
        synchronised: bool,
    ) -> None:
        """Make a reader for a meter called `name`.

        Args:
            name: Name of the meter.
            given: Its settings, as far as they were given.
            sensors: Names of sensors; empty: all that can be read.
            about: What the case in a saved file says of the code.
            synchronised: Whether the devices have finished where its windows end.
        """
        self.name = name
        self.about = about
        self.given_rank: Rank | None = None
        """Which rank this process is, where a framework tells; None: as the launcher's variables say."""
        self.node: NodeRank | None = None
        """This process as a rank; None where it works alone, or before `prepare`."""
        self._given = given
        self._sensors = sensors
        self._synchronised = synchronised
        self._process: meter_process.MeterProcess | None = None
        self._failure = ""
        """Why there is no sampling; empty where there is."""
        self._prepared_in = 0
        """Id of the process that `prepare` was called in: a forked child must not use its parent's pipe."""
        self._unread: list[Measurement] = []

    def prepare(self) -> None:
        """Start sampling and check the meter's arguments, once in each process, and again if its meter process ended.

        Raises:
            JoulemarkError: where an argument cannot be met. Without sampling, it only warns: the program goes on, and
                its windows say why they have no energy.
        """
        process = self._process
        if self._prepared_in == os.getpid() and (process is None or not process.to_be_replaced):
            return
        process = None
        try:
            self.node = _rank(self.given_rank)
            if self.node is None or self.node.counts_the_node:
                process = meter_process.shared(self._sensors)
                process.ask(do="check", given=self._given, name=self.name, about=self.about)
        except MeasurementError as error:
            self._failure = str(error)
            warnings.warn(f"joulemark: {error}", RuntimeWarning, stacklevel=6)
        self._prepared_in, self._process = os.getpid(), process

    def ask(self, **request: Any) -> Document:
        """Return the meter process's answer. JoulemarkError with the reason where there is none."""
        if self._prepared_in != os.getpid():
            raise MeasurementError(f"{self.name} was started in another process")
        if self._process is None:
            raise MeasurementError(self.node.reason() if self.node and self.is_counted_elsewhere else self._failure)
        if self.node is not None and (selected := self.node.visible()):
            request["visible"] = {**meter_process.visible_devices(), **selected}
        return self._process.ask(given=self._given, synchronised=self._synchronised, **request)

    @property
    def is_counted_elsewhere(self) -> bool:
        """Whether another rank samples this node. False before `prepare`."""
        return self.node is not None and not self.node.counts_the_node

    def warn_if_lost(self) -> None:
        """Warn where the rank that samples this node has died: then nobody writes its run file."""
        if self.node is not None and self.node.first_has_died is not None:
            warnings.warn(f"joulemark: {self.node.reason()}", RuntimeWarning, stacklevel=3)

    def path(self, path: str | os.PathLike[str]) -> Path:
        """Return the absolute path of a run file of this node that is asked for as `path`."""
        absolute = Path(os.path.abspath(path))
        return self.node.path(absolute) if self.node is not None else absolute

    def measurement(self, begin_s: float, end_s: float) -> Measurement:
        """Return the measurement of a window, CLOCK_MONOTONIC seconds. It is read when first asked for."""
        measurement = Measurement(begin_s, end_s, self._read_all)
        self._unread.append(measurement)
        return measurement

    def _read_all(self) -> None:
        """Read all windows that have no result yet."""
        with _reading:
            while batch := self._unread[:BATCH_SIZE]:
                try:
                    results = self.ask(do="read", windows=[(w.begin_s, w.end_s) for w in batch])["windows"]
                except JoulemarkError as error:
                    results = [unavailable(str(error), window.duration_s) for window in batch]
                for window, result in zip(batch, results, strict=True):
                    window.result = result
                del self._unread[: len(batch)]  # only now: after Ctrl-C they are still to be read

    def sums(self, windows: Sequence[tuple[float, float]]) -> list[WindowSum]:
        """Return the attributed energy of each window, joules, and by component; None for one not measured."""
        sums: list[WindowSum] = []
        try:
            for first in range(0, len(windows), BATCH_SIZE):
                answer = self.ask(do="sums", windows=list(windows[first : first + BATCH_SIZE]))
                sums += zip(answer["energy_j"], answer["components_j"], strict=True)
        except JoulemarkError:
            return [(None, {})] * len(windows)
        return sums


def _rank(given: Rank | None) -> NodeRank | None:
    """Return this process as a rank. MeasurementError where its variables do not say who counts the node."""
    try:
        return this_rank(given)
    except UsageError as error:
        raise MeasurementError(str(error)) from None


def _after_fork() -> None:
    global _reading  # noqa: PLW0603
    _reading = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
