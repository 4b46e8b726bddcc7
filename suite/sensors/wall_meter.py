"""A wall meter: `--sensor meter:FILE`, a CSV of time and watts that another program appends to while we measure.

    time,watt                                 the header may be missing
    1795406400.25,143.7                       seconds since 1970, or ISO 8601: 2026-11-23T04:00:00.250Z

It measures the whole machine, power supply and fans included: a scope of its own, listed beside what a case is charged
with. Each row counts at its own time, so that a meter that writes late is still aligned to the run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.records import BoardState, Channel
from joulemark.suite.sensors.base import Finding, Opened, Options

# A meter of class 1 (IEC 62053-21) is good to 1 %; a plug seldom says, and is held to twice that.
GAIN = (0.98, 1.02)


TAIL_BYTES = 256
"""Where reading begins before the file's end: a few rows, so that there is one before the run's start."""


class Meter:
    """The rows of a growing file, one a read."""

    name = "meter"
    simulated = False
    wrap_j: tuple[float | None, ...] = (None,)

    def __init__(self, path: Path, interval_s: float) -> None:
        # Twice as often as rows come: one is taken a read, and none may be left behind.
        self.period_s = min(0.1, max(0.005, interval_s / 2)) if interval_s > 0 else 0.1
        self._file = path.open("rb")
        self._file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        if self._file.tell():
            self._file.readline()  # the rest of a row
        self._rest = b""
        self._rows = self._following()
        self.stamp_s: float | None = 0.0
        self.channels = (
            Channel(
                component="machine",
                scope="wall",
                unit="W",
                kind="integrated",
                average_s=interval_s,
                gain=GAIN,
                source=f"wall meter, {path.name}; gain +-2 % (class 1 meter, twice)",
            ),
        )

    def _following(self) -> Iterator[tuple[float, float] | None]:
        """The rows of the file as they come; None whenever there is no new one."""
        while True:
            block = self._file.read(4096)
            *lines, self._rest = (self._rest + block).split(b"\n")
            for line in lines:
                row = parse(line.decode("utf-8", "replace"))
                if row is not None:
                    yield row
            if not block:
                yield None

    def read(self) -> list[float | None]:
        row = next(self._rows)
        if row is None:
            return [None]
        self.stamp_s = row[0] - time.time() + time.monotonic()
        return [row[1]]

    def states(self) -> tuple[BoardState, ...]:
        return ()

    def close(self) -> None:
        self._file.close()


def parse(line: str) -> tuple[float, float] | None:
    """Seconds since 1970 and watts in a row; None where it is none (a header, a comment, half a row)."""
    if ";" in line:  # where people write decimal commas, fields are separated by semicolons
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


def rows(path: Path) -> list[tuple[float, float]]:
    """The rows that the file has now. UsageError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"cannot read the meter's file {path}: {error.strerror}.") from None
    return [row for line in text.splitlines() if (row := parse(line)) is not None]


def check(argument: str) -> None:
    """UsageError where `argument` names no file with at least two rows of time and watts."""
    if not argument:
        raise UsageError("--sensor meter needs a file: meter:FILE.")
    if len(rows(Path(argument).expanduser())) < 2:
        raise UsageError(
            f"{argument} has fewer than two rows of time,watt: start the meter's logger before the run, and give "
            "seconds since 1970 or ISO 8601 and watts."
        )


def find(options: Options) -> Opened:
    """Follow the file from its end."""
    path = Path(options.argument).expanduser()
    seen = rows(path)[-20:]
    steps = sorted(b[0] - a[0] for a, b in pairwise(seen))
    interval_s = max(0.0, steps[len(steps) // 2]) if steps else 1.0
    sensor = Meter(path, interval_s)
    reason = f"reads {path.name}, a row each {interval_s:.2g} s"
    return Opened(sensor, (Finding("meter", found=True, readable=True, reason=reason, tick_s=interval_s),))
