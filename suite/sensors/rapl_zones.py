"""Linux's powercap tree: which zones there are, and which of them are counted.

Zones are told apart by their `name`, never by their number (Documentation/power/powercap/powercap.rst): the TPMI driver
numbers them in an order of its own.
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
    """Name of the zone it lies in; empty at the top."""

    @property
    def component(self) -> str:
        return "package" if self.name.startswith("package") else self.name

    @property
    def scope(self) -> str:
        """`package-0` for a package and for its dram; `host` for what belongs to no package."""
        return self.name if self.component == "package" else self.parent or "host"

    def wrap_j(self) -> float | None:
        """Joules at which the counter starts again; None where the range cannot be read."""
        try:
            microjoules = int((self.path / "max_energy_range_uj").read_text())
        except (OSError, ValueError):
            return None
        return microjoules / 1e6 if microjoules > 0 else None


def zones(root: Path) -> list[Zone]:
    """All zones below `root`, in order; a zone reached by two paths (a link and its target) stands once."""
    found: dict[str, Zone] = {}
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
        found.setdefault(os.path.realpath(path), Zone(path, match["type"], name, parent))
    return list(found.values())


def _directories(root: Path) -> list[Path]:
    """Zone directories, parents first: all at the top as Linux shows them, or one within the other."""
    paths: list[Path] = []
    with contextlib.suppress(OSError):
        top = [path for path in root.iterdir() if ZONE.fullmatch(path.name)]
        nested = [path for zone in top for path in zone.iterdir() if ZONE.fullmatch(path.name)]
        paths = top + nested
    return sorted(paths, key=lambda path: (path.name.count(":"), [int(n) for n in path.name.split(":")[1:]], path.name))


def wanted(found: Sequence[Zone], psys: bool) -> list[Zone]:
    """The zones that are counted: packages and their dram, one zone a scope, MSR before MMIO; psys if asked for."""
    components = {"package", "dram"} | ({"psys"} if psys else set())
    chosen: dict[tuple[str, str], Zone] = {}
    for zone in sorted(found, key=lambda zone: zone.type.endswith("-mmio")):
        if zone.component in components:
            chosen.setdefault((zone.component, zone.scope), zone)
    return sorted(chosen.values(), key=lambda zone: (zone.component != "package", zone.scope))
