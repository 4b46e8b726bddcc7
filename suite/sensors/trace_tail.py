"""A window of a trace file that is still being written, read at a cost that does not grow with the file.

A meter may stay open for days and be asked for each window. Reads are in the file in the order of their times, except
for a second or so between sensors: the first read of a window is found by bisection.
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
"""Where bisection ends: reading on is cheaper."""
Entry = dict[str, Any]


class TraceTail:
    """The trace file of a running sampler."""

    def __init__(self, path: Path) -> None:
        """Open `path`. The sampler must have answered: its sensors are then in the file. Raises OSError."""
        self._file: BinaryIO = path.open("rb")
        self._head: list[Entry] = []
        for entry in _entries(self._file):
            self._head.append(entry)
            if "ready" in entry:
                break
        self._begin = self._file.tell()
        self._lag_s = {entry["sensor"]: _lag_s(entry) for entry in self._head if "sensor" in entry}

    def around(self, span_s: tuple[float, float]) -> tuple[Trace, ...]:
        """Return the traces around `span_s`, seconds since the file's origin."""
        return trace_file.collect(self._lines(span_s))

    def covered_s(self) -> float:
        """Return the time up to which every sensor has reported, seconds since the origin; infinity without sensors."""
        times = dict.fromkeys(self._lag_s, float("-inf"))
        self._file.seek(max(0, self._file.seek(0, 2) - BLOCK_BYTES))
        for entry in _entries(self._file):
            if "t" in entry and entry["i"] in times:
                times[entry["i"]] = entry["t"] - self._lag_s[entry["i"]]
        return min(times.values(), default=float("inf"))

    def close(self) -> None:
        self._file.close()

    def _lines(self, span_s: tuple[float, float]) -> Iterator[Entry]:
        """Yield the sensors of the file, and its lines around `span_s`."""
        first = self._seek_read(span_s[0] - MARGIN_S)
        yield from self._head if first == self._begin else (entry for entry in self._head if "sensor" in entry)
        self._file.seek(first)
        for entry in _entries(self._file):
            if "t" in entry and entry["t"] > span_s[1] + MARGIN_S:
                return
            yield entry

    def _seek_read(self, at_s: float) -> int:
        """Return the offset of a line at or a little before the first read at `at_s`."""
        low, high = self._begin, self._file.seek(0, 2)
        while high - low > BLOCK_BYTES:
            middle = (low + high) // 2
            self._file.seek(middle)
            self._file.readline()  # the end of a line
            time_s = next((entry["t"] for entry in _entries(self._file) if "t" in entry), None)
            low, high = (low, middle) if time_s is None or time_s >= at_s else (middle, high)
        self._file.seek(low)
        if low != self._begin:
            self._file.readline()
        return self._file.tell()


def _lag_s(sensor: Entry) -> float:
    """Return how long after a moment the sensor's values cover it, seconds: their lag plus half an update period."""
    channels = [Channel.model_validate(channel) for channel in sensor["channels"]]
    return max((lag_s(channel) + (channel.tick_s or 0.0) / 2 for channel in channels), default=0.0)


def _entries(file: BinaryIO) -> Iterator[Entry]:
    """Yield the objects from here on, up to a line that is still being written. Lines are read one at a time:
    `file.tell()` stays behind the last object yielded."""
    while line := file.readline():
        if not line.endswith(b"\n"):
            return
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue  # half a line, where reading began
