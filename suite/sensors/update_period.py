"""The update period of a sensor: how often its value changes. Measured once for each device and driver, and kept.

A short window is uncertain by one update at each border, so the period decides how long a window must be. It differs
by GPU and driver (20 to 100 ms on NVIDIA's: arXiv 2312.02741) and is therefore measured on the machine at hand.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from joulemark.suite.energy.aliasing import PERIOD_ERROR
from joulemark.suite.records import Channel
from joulemark.suite.system.directories import make_private
from joulemark.suite.system.output import atomic_replacement

SHORTEST_S = 0.8
"""Eight updates of the slowest known counter, 100 ms."""
LONGEST_S = 6.0
"""Long enough for eight GPUs whose counters take 2.4 ms to read."""
FEWEST_CHANGES = 4
PAUSE_S = 0.0005
VERSION = "probe 2: "
"""Prefix of the names in the file: an entry without it may be a period that was uncertain."""
Read = Callable[[], float | None]
Clock = Callable[[], float]


@dataclass
class _Changes:
    """When a value was seen to change."""

    value: float | None = None
    read_s: float = 0.0
    seen: list[tuple[float, float]] = field(default_factory=list)
    """For each change, the middle between the beginnings of two reads, and the time from the first's beginning to the
    second's end."""

    def sample(self, read: Read, clock: Clock) -> None:
        begin_s, value = clock(), read()
        if self.value is not None and value is not None and value != self.value:
            self.seen.append(((self.read_s + begin_s) / 2, clock() - self.read_s))
        self.value, self.read_s = value, begin_s

    def period(self) -> tuple[float, float] | None:
        """Return the time between two changes and its uncertainty, seconds; None after too few changes."""
        if len(self.seen) < FEWEST_CHANGES:
            return None
        period_s = statistics.median(after - before for (before, _), (after, _) in pairwise(self.seen))
        usual_s = statistics.median(duration_s for _, duration_s in self.seen)
        # Reads that were held up do not show when the value changed.
        sharp = [at_s for at_s, duration_s in self.seen if duration_s <= max(1.5 * usual_s, period_s / 10)]
        # From few changes to many: the period is always known well enough to count the updates in between.
        few = FEWEST_CHANGES
        while True:
            counts = [round((at_s - sharp[0]) / period_s) for at_s in sharp[:few]]
            if not counts[-1]:
                return None
            period_s = statistics.linear_regression(counts, sharp[:few]).slope
            if few >= len(sharp):
                return period_s, usual_s / counts[-1]
            few *= 2

    def is_uncertain(self) -> bool:
        """Return whether the period has too large an uncertainty for `suite.energy.aliasing`."""
        period = self.period()
        return period is not None and period[1] > PERIOD_ERROR * period[0]


def measure(
    reads: Mapping[str, Read], seconds: float = SHORTEST_S, pause_s: float = PAUSE_S, clock: Clock = time.monotonic
) -> dict[str, float]:
    """Return the update period of each of `reads`, seconds, without those that changed too seldom to tell.

    All are polled in turn, so many GPUs take little longer than one: for `seconds`, and for up to `LONGEST_S` until
    every period is known to within `PERIOD_ERROR`.
    """
    return _periods(_watch(reads, seconds, pause_s, clock))


def load_or_measure(
    path: Path | None, reads: Mapping[str, Read], pause_s: float = PAUSE_S, clock: Clock = time.monotonic
) -> dict[str, float]:
    """Return the update period of each of `reads`, seconds: as kept in `path`, else measured.

    `reads` are named by device and driver. A period that is still uncertain is not kept, and is measured again the
    next time, when the machine may be less busy.
    """
    kept = load(path) if path else {}
    periods_s = {name: kept[name] for name in reads if name in kept}
    missing = {name: read for name, read in reads.items() if name not in periods_s}
    if missing:
        changes = _watch(missing, SHORTEST_S, pause_s, clock)
        certain = _periods({name: seen for name, seen in changes.items() if not seen.is_uncertain()})
        if path and certain:
            save(path, certain)
        periods_s |= _periods(changes)
    return periods_s


def with_update_periods(
    channels: Sequence[Channel], reads: Sequence[Read], driver: str | None, path: Path | None
) -> list[Channel]:
    """Return the channels of GPUs with their update periods, kept in `path` for the same GPU, driver and call."""
    names = [f"{channel.scope} driver {driver} {channel.call}" for channel in channels]
    periods_s = load_or_measure(path, dict(zip(names, reads, strict=True)))
    return [
        channel.model_copy(update={"tick_s": periods_s.get(name)})
        for channel, name in zip(channels, names, strict=True)
    ]


def _watch(reads: Mapping[str, Read], seconds: float, pause_s: float, clock: Clock) -> dict[str, _Changes]:
    changes = {name: _Changes() for name in reads}
    begin_s = clock()
    while (elapsed_s := clock() - begin_s) < seconds or (
        elapsed_s < LONGEST_S and any(seen.is_uncertain() for seen in changes.values())
    ):
        for name, read in reads.items():
            changes[name].sample(read, clock)
        if pause_s:
            time.sleep(pause_s)
    return changes


def _periods(changes: Mapping[str, _Changes]) -> dict[str, float]:
    return {name: period[0] for name, seen in changes.items() if (period := seen.period()) is not None}


def save(path: Path, periods_s: Mapping[str, float]) -> None:
    """Add `periods_s` to `path`. If it cannot be written, they are measured again the next time."""
    kept = {f"{VERSION}{name}": period_s for name, period_s in (load(path) | dict(periods_s)).items()}
    try:
        make_private(path.parent)
        with atomic_replacement(path, private=True) as temporary:
            temporary.write_text(json.dumps(kept, indent=1, sort_keys=True), encoding="utf-8")
    except OSError:
        return


def load(path: Path) -> dict[str, float]:
    """Return the periods kept in `path` by name, seconds, without those of another version; none if it is broken."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {
        name.removeprefix(VERSION): period_s
        for name, period_s in kept.items()
        if name.startswith(VERSION) and isinstance(period_s, float) and period_s > 0
    }
