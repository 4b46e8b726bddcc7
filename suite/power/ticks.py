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
from itertools import pairwise
from pathlib import Path

PROBE_S = 0.8
"""Eight updates of the slowest counter that is known, 100 ms."""
FEWEST_CHANGES = 4
PAUSE_S = 0.0005

Read = Callable[[], float | None]


def probe(reads: Mapping[str, Read], seconds: float = PROBE_S, pause_s: float = PAUSE_S) -> dict[str, float]:
    """Median time between two changes of each of `reads`, seconds; one that changed too seldom to tell is left out.

    All are polled in turn, so that many boards take no longer than one.
    """
    last: dict[str, float | None] = {}
    changed: dict[str, list[float]] = {name: [] for name in reads}
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        for name, read in reads.items():
            value = read()
            now_s = time.monotonic()
            if name in last and value is not None and value != last[name]:
                changed[name].append(now_s)
            last[name] = value
        if pause_s:
            time.sleep(pause_s)
    return {
        name: statistics.median(b - a for a, b in pairwise(times))
        for name, times in changed.items()
        if len(times) >= FEWEST_CHANGES
    }


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
            json.dump(_load(path) | dict(ticks), file, indent=1, sort_keys=True)
        os.replace(temporary, path)
    except OSError:
        return


def _load(path: Path) -> dict[str, float]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: tick for name, tick in kept.items() if isinstance(tick, float) and tick > 0}


def probed(path: Path | None, reads: Mapping[str, Read], seconds: float = PROBE_S) -> dict[str, float]:
    """The tick of each of `reads`, named by device and driver: as kept in `path`, else probed and then kept."""
    found = known(path, list(reads)) if path else {}
    missing = {name: read for name, read in reads.items() if name not in found}
    if missing:
        new = probe(missing, seconds)
        if path and new:
            keep(path, new)
        found |= new
    return found
