"""The sensor `rapl`: RAPL's energy counters through Linux powercap.

Package and dram are counted. Left out are core and uncore, which lie inside package; psys, which contains package,
unless asked for; the intel-rapl-mmio twin of a package; and a die that shows the same counter as another.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.base import Finding, FindResult, SensorOptions
from joulemark.suite.sensors.rapl.counters import Counter, RaplSensor, error_source, without_duplicates
from joulemark.suite.sensors.rapl.powercap_zones import Zone, counted_zones, zones

PSYS = "psys"
"""`--sensor rapl:psys`: the platform domain too. It contains package and dram and is never added to them."""
DUPLICATE_DIFFERENCE_UJ = 1e6
"""Far above one update, far below the usual difference of two dies' counters since boot."""

CHMOD = "sudo chmod a+r {root}/*/energy_uj"
UDEV = (
    'permanently: echo \'SUBSYSTEM=="powercap", ACTION=="add", RUN+="/bin/chmod a+r /sys%p/energy_uj"\' '
    "| sudo tee /etc/udev/rules.d/70-powercap.rules"
)
MOUNTS = (
    "docker run -v /sys/class/powercap:/sys/class/powercap:ro "
    "-v /sys/devices/virtual/powercap:/sys/devices/virtual/powercap:ro ..."
)
MODPROBE = "On bare metal: sudo modprobe intel_rapl_msr. A virtual machine has none."


class PowercapCounter(Counter):
    """The `energy_uj` file of one zone."""

    def count(self) -> int | None:
        """Return microjoules. sysfs prints the value anew for a read at offset 0."""
        if self.descriptor is None:
            return None
        try:
            return int(os.pread(self.descriptor, 32, 0))
        except (OSError, ValueError):
            return None


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
    return PowercapCounter(zone.component, zone.scope, descriptor, source, counts_per_joule=1e6, wrap_j=zone.wrap_j())


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
