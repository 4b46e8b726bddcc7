"""How often a sensor's value changes: probed once for each device and driver, and kept.

A short window is uncertain by one tick at each border, so that the tick decides how long a window must be. It differs
by board and driver (20 to 100 ms on NVIDIA's: arXiv 2312.02741), and so is measured on the machine at hand.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from joulemark.suite.energy.aliasing import CYCLE_ERROR

PROBE_S = 0.8
"""Eight updates of the slowest counter that is known, 100 ms."""
LONGEST_S = 6.0
"""Long enough for eight boards whose counters take 2.4 ms to read."""
FEWEST_CHANGES = 4
PAUSE_S = 0.0005

VERSION = "probe 2: "
"""Before the names in the file: what was kept without it may be a tick that was in doubt."""

Read = Callable[[], float | None]
Clock = Callable[[], float]


@dataclass
class _Changes:
    """When a value was seen to change."""

    value: float | None = None
    read_s: float = 0.0
    seen: list[tuple[float, float]] = field(default_factory=list)
    """For each change the middle between two reads' beginnings, and the time from the first's to the second's end."""

    def look(self, read: Read, clock: Clock) -> None:
        begin_s, value = clock(), read()
        if self.value is not None and value is not None and value != self.value:
            self.seen.append(((self.read_s + begin_s) / 2, clock() - self.read_s))
        self.value, self.read_s = value, begin_s

    def tick(self) -> tuple[float, float] | None:
        """Time between two changes and what it may be off by, seconds; None where there were too few to tell."""
        if len(self.seen) < FEWEST_CHANGES:
            return None
        tick_s = statistics.median(after - before for (before, _), (after, _) in pairwise(self.seen))
        usual_s = statistics.median(took_s for _, took_s in self.seen)
        # Reads that were held up do not tell when the value changed.
        sharp = [at_s for at_s, took_s in self.seen if took_s <= max(1.5 * usual_s, tick_s / 10)]
        # From few changes to many, so that the tick is always known well enough to count them.
        few = FEWEST_CHANGES
        while True:
            counts = [round((at_s - sharp[0]) / tick_s) for at_s in sharp[:few]]
            if not counts[-1]:
                return None
            tick_s = statistics.linear_regression(counts, sharp[:few]).slope
            if few >= len(sharp):
                return tick_s, usual_s / counts[-1]
            few *= 2

    def is_doubtful(self) -> bool:
        tick = self.tick()
        return tick is not None and tick[1] > CYCLE_ERROR * tick[0]


def probe(
    reads: Mapping[str, Read], seconds: float = PROBE_S, pause_s: float = PAUSE_S, clock: Clock = time.monotonic
) -> dict[str, float]:
    """Time between two changes of each of `reads`, seconds; one that changed too seldom to tell is left out.

    All are polled in turn, so that many boards take little longer than one: for `seconds`, and for up to `LONGEST_S`
    until every tick is known to within `CYCLE_ERROR`. One that is not by then is as good as could be told.
    """
    return _ticks(_seen(reads, seconds, pause_s, clock))


def _seen(reads: Mapping[str, Read], seconds: float, pause_s: float, clock: Clock) -> dict[str, _Changes]:
    """The changes of each of `reads`."""
    seen = {name: _Changes() for name in reads}
    begin_s = clock()
    while (gone_s := clock() - begin_s) < seconds or (
        gone_s < LONGEST_S and any(changes.is_doubtful() for changes in seen.values())
    ):
        for name, read in reads.items():
            seen[name].look(read, clock)
        if pause_s:
            time.sleep(pause_s)
    return seen


def _ticks(seen: Mapping[str, _Changes]) -> dict[str, float]:
    return {name: tick[0] for name, changes in seen.items() if (tick := changes.tick()) is not None}


def known(path: Path, names: Sequence[str]) -> dict[str, float]:
    """The ticks kept in `path` of those in `names`; none where the file is missing or broken."""
    kept = _load(path)
    return {name: kept[name] for name in names if name in kept}


def keep(path: Path, ticks: Mapping[str, float]) -> None:
    """Add `ticks` to `path`. Where it cannot be written, they are probed again the next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            kept = {f"{VERSION}{name}": tick for name, tick in (_load(path) | dict(ticks)).items()}
            json.dump(kept, file, indent=1, sort_keys=True)
        os.replace(temporary, path)
    except OSError:
        return


def _load(path: Path) -> dict[str, float]:
    """The ticks in `path` by name, without those of another version."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {
        name.removeprefix(VERSION): tick
        for name, tick in kept.items()
        if name.startswith(VERSION) and isinstance(tick, float) and tick > 0
    }


def probed(
    path: Path | None,
    reads: Mapping[str, Read],
    seconds: float = PROBE_S,
    pause_s: float = PAUSE_S,
    clock: Clock = time.monotonic,
) -> dict[str, float]:
    """The tick of each of `reads`, named by device and driver: as kept in `path`, else probed.

    Kept are those that are known: one still in doubt is probed again the next time, on a machine less busy.
    """
    found = known(path, list(reads)) if path else {}
    missing = {name: read for name, read in reads.items() if name not in found}
    if missing:
        seen = _seen(missing, seconds, pause_s, clock)
        sure = _ticks({name: changes for name, changes in seen.items() if not changes.is_doubtful()})
        if path and sure:
            keep(path, sure)
        found |= _ticks(seen)
    return found
