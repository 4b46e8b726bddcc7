"""A power meter's table: `--sensor meter:FILE`, which another program appends to during the run.

    time,watt                                 the header may be left out for these two columns
    1795406400.25,143.7                       seconds since 1970, or a date: 2026-11-23T04:00:00.250Z

A wall meter measures the whole machine, power supply and fans included: a scope of its own, listed beside what a case
is charged with. Each row counts at its own time, so a meter that writes late is still aligned with the run.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from joulemark.suite import units
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import COST_READS, Finding, FindResult, Sensor, SensorOptions
from joulemark.suite.sensors.wall_meter.table import MeterTable, Row
from joulemark.suite.system.directories import expanded
from joulemark.suite.system.text import decode

# A meter of class 1 (IEC 62053-21) is accurate to 1 %; a plug-in meter rarely states its class: twice that is allowed.
ERROR_RANGE = (0.98, 1.02)
MAX_INTERVAL_S = 3600.0
"""A meter that writes more rarely says nothing of a run."""
MAX_AGE_S = 60.0
"""How far from now the newest row may be, or three rows: loggers write late. A wrong time zone is off by 15 min."""
HEAD_BYTES = 65_536
TAIL_BYTES = 65_536
"""What is read of a file at first: its header and its newest rows, which may be hundreds in a minute of many plugs."""
KEPT_SAMPLES = 3 + COST_READS
"""Samples from before the start: a trace begins with three, and those that the reads before it take are lost."""
Sample = tuple[float, float]
"""Seconds since 1970; watts, or joules of a counter."""


class PlugSum:
    """Adds up the rows of several plugs: one sample whenever each has given a row, at their mean time."""

    def __init__(self, plugs: Sequence[str]) -> None:
        self.plugs = frozenset(plugs)
        self._latest: dict[str, Row] = {}
        self._last_s = float("-inf")

    def add(self, row: Row) -> Sample | None:
        """Return the sample that `row` completes, if any. A plug that was not there at the start does not count."""
        if row.plug in self.plugs:
            self._latest[row.plug] = row
        if len(self._latest) < len(self.plugs) or not self._latest:
            return None
        rows, self._latest = self._latest.values(), {}
        at_s = statistics.fmean(row.at_s for row in rows)
        if at_s <= self._last_s:  # a row that was repeated, or comes too late
            return None
        self._last_s = at_s
        return at_s, sum(row.value for row in rows)


class WallMeter(Sensor):
    """The samples of a growing file, one for each read."""

    name = "meter"

    def __init__(self, path: Path, table: MeterTable, plugs: Sequence[str], interval_s: float) -> None:
        """`interval_s`: the usual time between two samples, seconds."""
        whose = f", sum of {', '.join(sorted(plugs))}" if len(plugs) > 1 else ""
        channel = Channel(
            component=table.component,
            scope="wall" if table.component == "machine" else path.name,
            unit="J" if table.unit.base == "J" else "W",
            kind="counter" if table.unit.base == "J" else "integrated",
            gain=ERROR_RANGE,
            source=f"meter, {path.name}{whose}; gain +-2 % (class 1 meter, twice)",
        )
        super().__init__([channel])
        # Twice as often as rows are written: a read takes one sample, and none may be left behind.
        self.period_s = min(0.1, max(0.005, interval_s / 2)) if interval_s > 0 else 0.1
        self.timestamp_s: float | None = 0.0
        self._table, self._plugs = table, PlugSum(plugs)
        self._file = path.open("rb")
        self._file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        if self._file.tell():
            self._file.readline()  # the end of a row
        self._samples = self._new_samples()
        earlier: deque[Sample] = deque(maxlen=KEPT_SAMPLES)
        while (sample := next(self._samples)) is not None:
            earlier.append(sample)
        self._earlier = earlier

    def _new_samples(self) -> Iterator[Sample | None]:
        """Yield the samples of the file as its rows are written, and None whenever there is no new one."""
        incomplete = b""
        while True:
            block = self._file.read(4096)
            *lines, incomplete = (incomplete + block).split(b"\n")
            for line in lines:
                for row in self._table.rows(decode(line, "replace"), time.time()):
                    if (sample := self._plugs.add(row)) is not None:
                        yield sample
            if not block:
                yield None

    def read(self) -> list[float | None]:
        sample = self._earlier.popleft() if self._earlier else next(self._samples)
        if sample is None:
            return [None]
        self.timestamp_s = sample[0] - time.time() + time.monotonic()
        return [sample[1]]

    def close(self) -> None:
        self._file.close()


def load(argument: str) -> tuple[MeterTable, tuple[str, ...], list[Sample]]:
    """Return the table of `FILE` or `FILE#NAME+NAME`, the plugs in it, and its newest samples.

    UsageError if the file cannot be read, or it cannot be told how.
    """
    path, chosen = _split(argument)
    now_s = time.time()
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(max(len(head), path.stat().st_size - TAIL_BYTES))
            tail = file.read()
    except OSError as error:
        raise UsageError(f"cannot read the meter's file {path}: {error.strerror}.") from None
    except ValueError:
        raise UsageError(f"cannot read the meter's file {argument!r}: it is no name of a file.") from None
    lines = decode(head, "replace").splitlines()
    table = MeterTable.of(path.name, lines, chosen, now_s)
    newest = lines if len(head) < HEAD_BYTES else [*lines[:-1], *decode(tail, "replace").splitlines()[1:]]
    rows = [row for line in newest for row in table.rows(line, now_s)]
    plugs = _present_plugs(rows)
    if len(plugs) > 1 and "entity_id" in table.header:
        raise UsageError(
            f"{path.name} has the power of several entities: {', '.join(plugs)}. Choose with meter:FILE#NAME, or add "
            "up with #NAME+NAME."
        )
    total = PlugSum(plugs)
    return table, plugs, [sample for row in rows if (sample := total.add(row)) is not None]


def _split(argument: str) -> tuple[Path, list[str]]:
    path = expanded(argument)
    if "#" not in argument or path.exists():
        return path, []
    name, _, chosen = argument.rpartition("#")
    return expanded(name), [part for part in chosen.split("+") if part]


def _present_plugs(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the plugs that still write rows: those whose newest is not older than ten of the newest plug's rows."""
    newest = {row.plug: row.at_s for row in sorted(rows, key=lambda row: row.at_s)}
    if not newest:
        return ()
    last = max(newest, key=lambda plug: newest[plug])
    interval_s = _interval_s([(row.at_s, 0.0) for row in rows if row.plug == last])
    oldest_s = newest[last] - max(10 * interval_s, 1.0)
    return tuple(sorted(plug for plug, at_s in newest.items() if at_s >= oldest_s))


def check(argument: str) -> None:
    """Raise UsageError unless `argument` is a table of power or energy whose newest row is of now."""
    if not argument:
        raise UsageError("--sensor meter needs a file: meter:FILE.")
    table, _, samples = load(argument)
    if len(samples) < 2:
        raise UsageError(
            f"{argument} has fewer than two rows of time and {'joules' if table.unit.base == 'J' else 'watts'}: start "
            "the meter's logger before the run; its times are seconds since 1970 or dates, its power is not negative."
        )
    if (interval_s := _interval_s(samples)) > MAX_INTERVAL_S:
        raise UsageError(
            f"the rows of {argument} are {interval_s:.3g} s apart: set the meter's logger to a row every "
            f"{MAX_INTERVAL_S:.0f} s or more often."
        )
    away_s = samples[-1][0] - time.time()
    if abs(away_s) > max(MAX_AGE_S, 3 * interval_s):
        raise UsageError(
            f"the newest row of {argument} is {_away(away_s)} (read as {_stamp(samples[-1][0])}): the meter must "
            "write during the run, and a time without an offset is by this machine's clock "
            f"({'/'.join(dict.fromkeys(time.tzname))})."
        )


def _away(away_s: float) -> str:
    size_s = abs(away_s)
    length = f"{size_s / 86_400:,.0f} days" if size_s > 2 * 86_400 else units.duration(size_s)
    return f"{length} {'ahead of' if away_s > 0 else 'behind'} this machine's clock"


def _stamp(at_s: float) -> str:
    try:
        return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return f"{at_s:g} s since 1970"


def find(options: SensorOptions) -> FindResult:
    """Follow the file from its end."""
    try:
        table, plugs, samples = load(options.argument)
    except UsageError as error:
        return FindResult(None, (Finding("meter", found=True, readable=False, reason=str(error)),))
    path = _split(options.argument)[0]
    interval_s = min(_interval_s(samples), MAX_INTERVAL_S)
    what = " + ".join(column.name for column in table.value)
    whose = f", sum of {len(plugs)}: {', '.join(plugs)}" if len(plugs) > 1 else ""
    reason = f"reads {what} of {path.name}{whose}, a row every {interval_s:.2g} s"
    finding = Finding("meter", found=True, readable=True, reason=reason, tick_s=interval_s)
    return FindResult(WallMeter(path, table, plugs, interval_s), (finding,))


def _interval_s(samples: Sequence[Sample]) -> float:
    """Return the usual time between the last samples, seconds; 1 where it cannot be known yet."""
    intervals_s = [after[0] - before[0] for before, after in pairwise(samples[-20:])]
    return max(0.0, statistics.median_high(intervals_s)) if intervals_s else 1.0
