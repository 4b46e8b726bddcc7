"""What a meter writes of its measurements: run files, and rows of experiment trackers."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulemark.measurement import Measurement
from joulemark.measurement_log import MeasurementLog
from joulemark.suite.errors import JoulemarkError, MeasurementError, UsageError
from joulemark.suite.system.clock import monotonic_s
from joulemark.suite.system.output import output_file
from joulemark.window_reader import WindowReader

if TYPE_CHECKING:
    from joulemark.tracking.log import TrackingLog

MAX_ITEMS = 2**53
"""Integers up to here are exact in every reader of JSON."""


class MeasurementFiles(MeasurementLog):
    """The measurements of a meter, where they are saved and logged."""

    def __init__(self, name: str, reader: WindowReader) -> None:
        """Start without measurements of the meter `name`; `reader` reads its windows."""
        super().__init__(name, reader)
        self._mark_s: tuple[float, float] | None = None
        """Begin and end of a call in which all ranks of a job were at once; None without."""
        self._tracking: TrackingLog | None = None
        """None where nothing is logged to trackers."""

    def prepare(self) -> None:
        """Start reading the sensors. JoulemarkError where an argument of the meter cannot be met."""
        self._reader.prepare()

    def _add(self, begin_s: float, end_s: float, items: Any) -> Measurement:
        measurement = super()._add(begin_s, end_s, items)
        if self._tracking is not None and not self._reader.is_counted_elsewhere:
            self._tracking.add(measurement)
        return measurement

    def log(self) -> None:
        """Log to the trackers what they do not have yet: short windows are logged every ten seconds, and at the end."""
        if self._tracking is not None:
            self._tracking.flush()

    @property
    def is_counted_elsewhere(self) -> bool:
        """Whether another rank samples this node, and logs and saves for it. False before the first window."""
        return self._reader.is_counted_elsewhere

    def parameters(self) -> dict[str, str]:
        """Return what trackers are told of this meter: place, machine, devices and what the code said of itself."""
        try:
            found = self._reader.ask(do="describe", about=self._reader.about)["parameters"]
        except JoulemarkError:
            found = self._reader.about
        return {f"joulemark.{key}": str(value) for key, value in found.items() if value is not None}

    @property
    def node_name(self) -> str | None:
        """Which node of several this is, as `node1` or `rank8`; None where there is one."""
        return self._reader.node.name if self._reader.node is not None else None

    def save(
        self,
        path: str | os.PathLike[str],
        step_s: Sequence[Sequence[float]] | None = None,
        steps_per_block: Sequence[int] | None = None,
    ) -> Path:
        """Write a run file with each measurement as a trial; `joulemark report PATH` makes its page.

        Trackers get the file and its page.

        Args:
            path: The file to write.
            step_s: For each measurement, durations of its steps, seconds, where they were marked.
            steps_per_block: For each measurement, how many steps each of these durations covers (default: one).

        Returns:
            The absolute path of the file. In a job of several nodes it has the node's number in its name; of the ranks
            on a node only the first, which counts it, writes it.

        Raises:
            JoulemarkError: where nothing was measured, items are no integers above 0, or the file cannot be written.
        """
        self.last  # noqa: B018 - raises where nothing was measured
        for number, items in enumerate(self._items, 1):
            if not isinstance(items, int) or isinstance(items, bool) or not 0 < items <= MAX_ITEMS:
                raise UsageError(
                    f"items of window {number} of {self.name} is {items!r:.80}. Set an integer from 1 to 2^53, or None."
                )
        absolute = self._reader.path(path)
        if self._reader.is_counted_elsewhere:
            self._reader.warn_if_lost()
            return absolute
        # Here: the meter process does not have this program's descriptors.
        with output_file(absolute, private=True) as temporary:
            self._reader.ask(
                do="save",
                path=str(temporary),
                windows=[(window.begin_s, window.end_s) for window in self._measurements],
                items=self._items,
                step_s=step_s,
                steps_per_block=steps_per_block,
                **self._described(),
            )
        if self._tracking is not None:
            self._tracking.flush()
            self._tracking.attach(absolute)
        return absolute

    def keep(self, path: str | os.PathLike[str]) -> None:
        """Have a run file written at `path`, as `save` does, if this program ends before it calls `save`.

        It says that the program ended, and has the energy from now to its end as one failed trial. JoulemarkError as
        in `start`.
        """
        self.prepare()
        if not self._reader.is_counted_elsewhere:
            with contextlib.suppress(MeasurementError):  # without sampling there is nothing to keep
                path = str(self._reader.path(path))
                self._reader.ask(do="keep", path=path, begin_s=monotonic_s(), **self._described())

    def _described(self) -> dict[str, Any]:
        """Return what a run file says of this program."""
        node = self._reader.node
        return {
            "name": self.name,
            "about": self._reader.about,
            "command": sys.argv,
            "node": node.document(self._mark_s) if node is not None else None,
        }
