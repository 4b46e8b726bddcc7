"""A wall meter: `--sensor meter:FILE`, a CSV of time and watts that another program appends to during the run.

    time,watt                                 the header is optional
    1795406400.25,143.7                       seconds since 1970, or ISO 8601: 2026-11-23T04:00:00.250Z

It measures the whole machine, power supply and fans included: a scope of its own, listed beside what a case is charged
with. Each row counts at its own time, so a meter that writes late is still aligned with the run.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions
from joulemark.suite.system.directories import expanded
from joulemark.suite.system.text import decode, read_text

# A meter of class 1 (IEC 62053-21) is accurate to 1 %; a plug-in meter rarely states its class: twice that is allowed.
ERROR_RANGE = (0.98, 1.02)

TAIL_BYTES = 256
"""Where reading begins before the file's end: a few rows, one of them before the run's start."""


class WallMeter(Sensor):
    """The rows of a growing file, one for each read."""

    name = "meter"

    def __init__(self, path: Path, interval_s: float) -> None:
        channel = Channel(
            component="machine",
            scope="wall",
            unit="W",
            kind="integrated",
            average_s=interval_s,
            gain=ERROR_RANGE,
            source=f"wall meter, {path.name}; gain +-2 % (class 1 meter, twice)",
        )
        super().__init__([channel])
        # Twice as often as rows are written: a read takes one row, and none may be left behind.
        self.period_s = min(0.1, max(0.005, interval_s / 2)) if interval_s > 0 else 0.1
        self.timestamp_s: float | None = 0.0
        self._file = path.open("rb")
        self._file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        if self._file.tell():
            self._file.readline()  # the end of a row
        self._rows = self._new_rows()

    def _new_rows(self) -> Iterator[tuple[float, float] | None]:
        """Yield the rows of the file as they are written, and None whenever there is no new one."""
        incomplete = b""
        while True:
            block = self._file.read(4096)
            *lines, incomplete = (incomplete + block).split(b"\n")
            yield from (row for line in lines if (row := parse(decode(line, "replace"))) is not None)
            if not block:
                yield None

    def read(self) -> list[float | None]:
        row = next(self._rows)
        if row is None:
            return [None]
        self.timestamp_s = row[0] - time.time() + time.monotonic()
        return [row[1]]

    def close(self) -> None:
        self._file.close()


def parse(line: str) -> tuple[float, float] | None:
    """Return the seconds since 1970 and the watts in a row; None for a header, a comment or half a row."""
    if ";" in line:  # with decimal commas, fields are separated by semicolons
        line = line.replace(",", ".").replace(";", ",")
    fields = [field.strip() for field in line.split(",")]
    if len(fields) < 2:
        return None
    try:
        power_w = float(fields[1])
        at_s = _epoch_s(fields[0])
    except ValueError:
        return None
    return (at_s, power_w) if math.isfinite(at_s) and math.isfinite(power_w) and power_w >= 0 else None


def _epoch_s(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        stamp = datetime.fromisoformat(text)
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()


def load(path: Path) -> list[tuple[float, float]]:
    """Return the present rows of the file. Raises UsageError if it cannot be read."""
    try:
        text = read_text(path, errors="replace")
    except OSError as error:
        raise UsageError(f"cannot read the meter's file {path}: {error.strerror}.") from None
    return [row for line in text.splitlines() if (row := parse(line)) is not None]


def check(argument: str) -> None:
    """Raise UsageError unless `argument` is a file with at least two rows of time and watts."""
    if not argument:
        raise UsageError("--sensor meter needs a file: meter:FILE.")
    if len(load(expanded(argument))) < 2:
        raise UsageError(
            f"{argument} has fewer than two rows of time,watt: start the meter's logger before the run; it must write "
            "seconds since 1970 or ISO 8601, and watts."
        )


def find(options: SensorOptions) -> FindResult:
    """Follow the file from its end."""
    path = expanded(options.argument)
    intervals_s = [after[0] - before[0] for before, after in pairwise(load(path)[-20:])]
    interval_s = max(0.0, statistics.median_high(intervals_s)) if intervals_s else 1.0
    reason = f"reads {path.name}, a row every {interval_s:.2g} s"
    finding = Finding("meter", found=True, readable=True, reason=reason, tick_s=interval_s)
    return FindResult(WallMeter(path, interval_s), (finding,))
