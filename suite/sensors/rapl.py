"""Intel's and AMD's RAPL energy counters, through Linux powercap.

Zones are told apart by their `name`, never by their number (Documentation/power/powercap/powercap.rst). Counted are
package and dram. Left out: core and uncore, which lie inside package; psys, which contains package, unless asked for;
the intel-rapl-mmio twin of a package; a die that mirrors another's counter.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.records import BoardState, Channel
from joulemark.suite.sensors import update_period
from joulemark.suite.sensors.base import Finding, Opened, Options
from joulemark.suite.sensors.cpu_topology import is_same_counter, socket
from joulemark.suite.sensors.rapl_zones import Zone, wanted, zones

PSYS = "psys"
"""`--sensor rapl:psys`: the platform domain too. It contains package and dram and is never added to them."""
TICK_S = 0.001  # Intel SDM vol. 3B, 15.10 "Platform specific power management": counters update about each millisecond
# No maker states an error. Package power follows the plug closely on Haswell and newer (Khan et al., "RAPL in action",
# ACM TOMPECS 3(2), 2018): taken as good as a board's sensor. DRAM is off by an offset that differs between systems,
# most of all at rest (Desrochers, Paradis, Weaver, "A validation of DRAM RAPL power measurements", MEMSYS 2016).
GAINS = {"package": (0.95, 1.05), "psys": (0.95, 1.05), "dram": (0.8, 1.2)}


def gain_source(component: str) -> str:
    """What the interval of a component's gain rests on, in words."""
    low, high = GAINS[component]
    return f"gain {low:g} to {high:g}, assumed: no maker states it (Khan et al. 2018, Desrochers et al. 2016)"


PROBE_S = 0.03
MIRRORS_APART_UJ = 1e6  # far above one update, far below what two dies differ by since boot

CHMOD = "sudo chmod a+r {root}/*/energy_uj"
UDEV = (
    'for good: echo \'SUBSYSTEM=="powercap", ACTION=="add", RUN+="/bin/chmod a+r /sys%p/energy_uj"\' '
    "| sudo tee /etc/udev/rules.d/70-powercap.rules"
)
MOUNTS = (
    "docker run -v /sys/class/powercap:/sys/class/powercap:ro "
    "-v /sys/devices/virtual/powercap:/sys/devices/virtual/powercap:ro ..."
)


class Rapl:
    """The open counters of one machine."""

    name = "rapl"
    simulated = False
    period_s = 0.1
    stamp_s: float | None = None

    def __init__(self, counters: Sequence[tuple[Zone, int | None, str]], tick_s: float) -> None:
        """`counters`: zone, descriptor of its open counter (None where it cannot be opened) and the reason."""
        self.tick_s = tick_s
        self._descriptors = [descriptor for _, descriptor, _ in counters]
        self.channels = tuple(_channel(zone, reason, tick_s) for zone, _, reason in counters)
        self.wrap_j = tuple(zone.wrap_j() for zone, _, _ in counters)

    def read(self) -> list[float | None]:
        return [read_j(descriptor) for descriptor in self._descriptors]

    def states(self) -> tuple[BoardState, ...]:
        return ()

    def close(self) -> None:
        for descriptor in self._descriptors:
            if descriptor is not None:
                os.close(descriptor)
        self._descriptors = [None] * len(self._descriptors)


def _channel(zone: Zone, reason: str, tick_s: float) -> Channel:
    return Channel(
        component=zone.component,
        scope=zone.scope,
        unit="J",
        kind="counter",
        tick_s=tick_s,
        gain=GAINS[zone.component],
        source=reason or f"powercap {zone.path.name} ({zone.name}); {gain_source(zone.component)}",
    )


def read_j(descriptor: int | None) -> float | None:
    """Joules that the counter shows; None where it has vanished or shows no number."""
    found = _read_uj(descriptor)
    return None if found is None else found / 1e6


def _read_uj(descriptor: int | None) -> int | None:
    """Microjoules, as the counter shows them. sysfs prints anew at offset 0."""
    if descriptor is None:
        return None
    try:
        return int(os.pread(descriptor, 32, 0))
    except (OSError, ValueError):
        return None


def check(argument: str) -> None:
    """UsageError for anything but `rapl` and `rapl:psys`."""
    if argument not in ("", PSYS):
        raise UsageError(f"sensor rapl takes no {argument!r}. Give --sensor rapl or --sensor rapl:psys.")


def find(options: Options) -> Opened:
    """Open all counters that may be read."""
    root = Path(options.powercap_root)
    chosen = wanted(zones(root), options.argument == PSYS)
    if not any(zone.component in ("package", "psys") for zone in chosen):
        return Opened(None, (_absent(root),))
    counters = [(zone, *_open(zone)) for zone in chosen]
    counters = _without_mirrors(counters)
    refused = [(zone, reason) for zone, descriptor, reason in counters if descriptor is None]
    findings = [
        Finding("rapl", found=True, readable=False, reason=f"{zone.scope} {zone.component}: {reason}", fix=_fix(root))
        for zone, reason in refused
    ]
    if len(refused) == len(counters):
        return Opened(None, tuple(findings[:1]))
    seen = {
        str(n): partial(read_j, descriptor) for n, (_, descriptor, _) in enumerate(counters) if descriptor is not None
    }
    found = update_period.probe(seen, PROBE_S, pause_s=0.0)
    sensor = Rapl(counters, max(found.values(), default=TICK_S))
    cost_s = _read_cost_s(sensor)
    opened = ", ".join(f"{zone.component} {zone.scope}" for zone, descriptor, _ in counters if descriptor is not None)
    good = Finding(
        "rapl", found=True, readable=True, reason=f"reads {opened}", tick_s=sensor.tick_s, read_cost_s=cost_s
    )
    return Opened(sensor, (good, *findings))


def _open(zone: Zone) -> tuple[int | None, str]:
    path = zone.path / "energy_uj"
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC), ""
    except PermissionError:
        return None, f"present but not permitted: {path} is for root only (CVE-2020-8694)"
    except OSError as error:
        return None, f"{path}: {error.strerror}"


def _without_mirrors(counters: list[tuple[Zone, int | None, str]]) -> list[tuple[Zone, int | None, str]]:
    """Leave out a package whose counter always stands where an earlier one's does: dies that show one counter
    (Threadripper)."""
    kept: list[tuple[Zone, int | None, str]] = []
    for counter in counters:
        twins = [
            k
            for k in kept
            if k[0].component == counter[0].component == "package" and socket(k[0].scope) == socket(counter[0].scope)
        ]
        own = partial(_read_uj, counter[1])
        if any(is_same_counter(partial(_read_uj, twin[1]), own, MIRRORS_APART_UJ) for twin in twins):
            if counter[1] is not None:
                os.close(counter[1])
        else:
            kept.append(counter)
    return kept


def _read_cost_s(sensor: Rapl) -> float:
    costs = []
    for _ in range(5):
        begin = time.perf_counter()
        sensor.read()
        costs.append(time.perf_counter() - begin)
    return sorted(costs)[2]


def _fix(root: Path) -> str:
    return f"{CHMOD.format(root=root)} (until the next start; {UDEV})"


def _absent(root: Path) -> Finding:
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        reason = f"no RAPL zone under {root}: a container hides it (GHSA-jq35-85cj-fj4p), a virtual machine has none"
        fix = f"On bare metal: {MOUNTS}"
    elif not root.exists():
        reason = f"{root} does not exist: a virtual machine, or a kernel without powercap"
        fix = "On bare metal: sudo modprobe intel_rapl_msr. A virtual machine has none."
    else:
        reason = f"no package zone under {root}"
        fix = "On bare metal: sudo modprobe intel_rapl_msr. A virtual machine has none."
    return Finding("rapl", found=False, readable=False, reason=reason, fix=fix)
