"""The zones of Linux's powercap tree, and the choice of those that are counted.

A zone is identified by its `name`, never by its number (Documentation/power/powercap/powercap.rst): the TPMI driver
numbers zones in an order of its own.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ZONE = re.compile(r"(?P<type>[a-z][a-z-]*)(?P<numbers>(?::\d+)+)")


@dataclass(frozen=True)
class Zone:
    """A directory with a counter."""

    path: Path
    type: str
    """Control type: `intel-rapl` or `intel-rapl-mmio`."""
    name: str
    """`package-0`, `package-0-die-1`, `dram`, `psys`, `core`, `uncore`."""
    parent: str
    """The name of the zone that contains it; empty at the top."""

    @property
    def component(self) -> str:
        """`package`, or the zone's name."""
        return "package" if self.name.startswith("package") else self.name

    @property
    def scope(self) -> str:
        """`package-0` for a package and its dram; `host` for a zone outside packages."""
        return self.name if self.component == "package" else self.parent or "host"

    def wrap_j(self) -> float | None:
        """Return the joules at which the counter starts again; None if its range cannot be read."""
        try:
            microjoules = int((self.path / "max_energy_range_uj").read_text())
        except (OSError, ValueError):
            return None
        return microjoules / 1e6 if microjoules > 0 else None


def zones(root: Path) -> list[Zone]:
    """Return all zones below `root`, in order. A zone reached by two paths (a link and its target) is listed once."""
    distinct: dict[str, Zone] = {}
    names: dict[str, str] = {}
    for path in _directories(root):
        match = ZONE.fullmatch(path.name)
        try:
            name = (path / "name").read_text().strip()
        except OSError:
            continue
        if match is None or not name:
            continue
        names[path.name] = name
        parent = names.get(path.name.rpartition(":")[0], "")
        distinct.setdefault(os.path.realpath(path), Zone(path, match["type"], name, parent))
    return list(distinct.values())


def _directories(root: Path) -> list[Path]:
    """Return the zone directories, parents first: side by side as Linux shows them, or nested."""
    paths: list[Path] = []
    with contextlib.suppress(OSError):
        top = [path for path in root.iterdir() if ZONE.fullmatch(path.name)]
        nested = [path for zone in top for path in zone.iterdir() if ZONE.fullmatch(path.name)]
        paths = top + nested
    return sorted(paths, key=lambda path: (path.name.count(":"), [int(n) for n in path.name.split(":")[1:]], path.name))


def counted_zones(candidates: Sequence[Zone], psys: bool) -> list[Zone]:
    """Return the zones to count: packages and their dram, one zone a scope, MSR before MMIO; with `psys` that too."""
    components = {"package", "dram"} | ({"psys"} if psys else set())
    chosen: dict[tuple[str, str], Zone] = {}
    for zone in sorted(candidates, key=lambda zone: zone.type.endswith("-mmio")):
        if zone.component in components:
            chosen.setdefault((zone.component, zone.scope), zone)
    return sorted(chosen.values(), key=lambda zone: (zone.component != "package", zone.scope))
