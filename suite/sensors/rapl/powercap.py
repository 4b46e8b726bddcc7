"""The sensor `rapl`: RAPL's energy counters through Linux powercap.

Package and dram are counted. Left out are core and uncore, which lie inside package; psys, which contains package,
unless asked for; the intel-rapl-mmio twin of a package; and a die that shows the same counter as another. A zone is
identified by its `name`, never by its number (Documentation/power/powercap/powercap.rst): the TPMI driver numbers zones
in an order of its own.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.base import Finding, FindResult, SensorOptions
from joulemark.suite.sensors.rapl.counters import Counter, RaplSensor, error_source, without_duplicates

PSYS = "psys"
"""`--sensor rapl:psys`: the platform domain too. It contains package and dram and is never added to them."""
DUPLICATE_DIFFERENCE_UJ = 1e6
"""Far above one update, far below the usual difference of two dies' counters since boot."""
CHMOD = "sudo chmod a+r {root}/*/energy_uj"
UDEV = (
    'permanently: echo \'SUBSYSTEM=="powercap", ACTION=="add", RUN+="/bin/chmod a+r /sys%p/energy_uj"\' '
    "| sudo tee /etc/udev/rules.d/70-powercap.rules"
)
MOUNTS = "docker run -v /sys/devices/virtual/powercap/intel-rapl:/powercap:ro -e JOULEMARK_POWERCAP_ROOT=/powercap ..."
"""Under another name: Docker hides the tree at its own place, under whatever is mounted there (docs/docker.md)."""
MODPROBE = "On bare metal: sudo modprobe intel_rapl_msr. A virtual machine has none."


def check(argument: str) -> None:
    """Raise UsageError for anything but `rapl` and `rapl:psys`."""
    if argument not in ("", PSYS):
        raise UsageError(f"sensor rapl takes no {argument!r}. Give --sensor rapl or --sensor rapl:psys.")


def find(options: SensorOptions) -> FindResult:
    """Open all counters that may be read."""
    root = Path(options.powercap_root)
    chosen = counted_zones(zones(root), options.argument == PSYS)
    if not any(zone.component in ("package", PSYS) for zone in chosen):
        return FindResult(None, (_absent(root),))
    packages = [_open(zone) for zone in chosen if zone.component == "package"]
    others = [_open(zone) for zone in chosen if zone.component != "package"]
    counters = [*without_duplicates(packages, DUPLICATE_DIFFERENCE_UJ), *others]
    fix = f"{CHMOD.format(root=root)} (until the next boot; {UDEV})"
    unreadable = partial(Finding, "rapl", found=True, readable=False, fix=fix)
    refused = tuple(
        unreadable(reason=f"{counter.scope} {counter.component}: {counter.source}")
        for counter in counters
        if counter.descriptor is None
    )
    if len(refused) == len(counters):
        return FindResult(None, refused[:1])
    sensor = RaplSensor("rapl", counters)
    return FindResult(sensor, (sensor.finding(), *refused))


def _open(zone: Zone) -> Counter:
    path = zone.path / "energy_uj"
    descriptor = None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        source = f"powercap {zone.path.name} ({zone.name}); {error_source(zone.component)}"
    except PermissionError:
        source = f"present but not permitted: {path} is readable by root only (CVE-2020-8694)"
    except OSError as error:
        source = f"{path}: {error.strerror}"
    return Counter(
        zone.component, zone.scope, descriptor, source, 1e6, _read_microjoules, zone.wrap_j(), zone.highest_limit_w()
    )


def _read_microjoules(descriptor: int) -> int:
    """Return the count in an `energy_uj` file. sysfs prints the value anew for a read at offset 0."""
    return int(os.pread(descriptor, 32, 0))


def _absent(root: Path) -> Finding:
    fix = MODPROBE
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        reason = f"no RAPL zone under {root}: hidden by the container (GHSA-jq35-85cj-fj4p), or a virtual machine"
        fix = f"On bare metal: {MOUNTS}"
    elif not root.exists():
        reason = f"{root} does not exist: a virtual machine, or a kernel without powercap"
    else:
        reason = f"no package zone under {root}"
    return Finding("rapl", found=False, readable=False, reason=reason, fix=fix)


NO_LIMIT_W = 4095.0
"""The largest limit that the register holds (Intel SDM vol. 3B, 15.10.3) is none."""
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

    def highest_limit_w(self) -> float | None:
        """Return the highest of a package's power limits, watts: PL1, PL2, and what they may be set to.

        None if it has none, or one that is no limit. Limits of memory are rarely set, and then not enforced.
        """
        limits_w = []
        for path in self.path.glob("constraint_*_*_uw") if self.component == "package" else ():
            with contextlib.suppress(OSError, ValueError):
                limits_w.append(int(path.read_text()) / 1e6)
        highest_w = max(limits_w, default=0.0)
        return highest_w if 0 < highest_w < NO_LIMIT_W else None


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
