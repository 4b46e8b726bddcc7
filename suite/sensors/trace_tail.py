"""A trace file that is still being written: what a window needs of it, at a cost that does not grow with the file.

A meter may stay open for days, and be asked after each window. Reads stand in the file in the order of their times,
but for a second or so between sensors, so that a window's first is found by bisection.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from joulemark.suite.energy.integration import MARGIN, lag_s
from joulemark.suite.records import Channel, Trace
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.sampler_process import SLOWEST_PERIOD_S

MARGIN_S = MARGIN * SLOWEST_PERIOD_S + 6.0
"""What is read on either side of a window: the reads that a curve keeps, of the slowest sensor, and any lag."""
BLOCK_BYTES = 65_536
"""Bisection ends here: reading on is cheaper."""

Entry = dict[str, Any]


class TraceTail:
    """The trace file of a sampler that runs."""

    def __init__(self, path: Path) -> None:
        """`path` must have its sensors in it already: the sampler has answered. OSError where it cannot be read."""
        self._file: BinaryIO = path.open("rb")
        self._head: list[Entry] = []
        for entry in _entries(self._file):
            self._head.append(entry)
            if "ready" in entry:
                break
        self._begin = self._file.tell()
        self._lag_s = {entry["sensor"]: _lag_s(entry) for entry in self._head if "sensor" in entry}

    def around(self, span_s: tuple[float, float]) -> tuple[Trace, ...]:
        """The traces around `span_s`, seconds since the file's origin."""
        return trace_file.collect(self._lines(span_s))

    def covered_s(self) -> float:
        """The time up to which every sensor has spoken, seconds since the origin; infinity where there is no sensor.

        A value stands for a time before its read, so that a window is covered only some time after its end.
        """
        times = dict.fromkeys(self._lag_s, float("-inf"))
        self._file.seek(max(0, self._file.seek(0, 2) - BLOCK_BYTES))
        for entry in _entries(self._file):
            if "t" in entry and entry["i"] in times:
                times[entry["i"]] = entry["t"] - self._lag_s[entry["i"]]
        return min(times.values(), default=float("inf"))

    def close(self) -> None:
        """Read no more."""
        self._file.close()

    def _lines(self, span_s: tuple[float, float]) -> Iterator[Entry]:
        """The sensors of the file, and its lines around `span_s`."""
        first = self._first(span_s[0] - MARGIN_S)
        yield from self._head if first == self._begin else (entry for entry in self._head if "sensor" in entry)
        self._file.seek(first)
        for entry in _entries(self._file):
            if "t" in entry and entry["t"] > span_s[1] + MARGIN_S:
                return
            yield entry

    def _first(self, at_s: float) -> int:
        """The beginning of a line, at or a little before the first read at `at_s`."""
        low, high = self._begin, self._file.seek(0, 2)
        while high - low > BLOCK_BYTES:
            middle = (low + high) // 2
            self._file.seek(middle)
            self._file.readline()  # the rest of a line
            time_s = next((entry["t"] for entry in _entries(self._file) if "t" in entry), None)
            if time_s is None or time_s >= at_s:
                high = middle
            else:
                low = middle
        self._file.seek(low)
        if low != self._begin:
            self._file.readline()
        return self._file.tell()


def _lag_s(sensor: Entry) -> float:
    """How long after a moment the sensor's values speak for it, seconds: their lag, and half an update on top."""
    channels = [Channel.model_validate(channel) for channel in sensor["channels"]]
    return max((lag_s(channel) + (channel.tick_s or 0.0) / 2 for channel in channels), default=0.0)


def _entries(file: BinaryIO) -> Iterator[Entry]:
    """The objects from here on; stops at a line that is not whole: it is being written.

    One line at a time, so that `file.tell()` stays behind the last object that was given out.
    """
    while line := file.readline():
        if not line.endswith(b"\n"):
            return
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue  # where reading began, half a line
