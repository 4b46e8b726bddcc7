"""The sensor `perf`: RAPL through the kernel's perf events `power/energy-pkg/` and `power/energy-ram/`.

They are open to processes with CAP_PERFMON, or to all if kernel.perf_event_paranoid is 0 or less, where powercap is
for root only. The kernel accumulates them in 64 bits: they never wrap (arch/x86/events/rapl.c).
"""

from __future__ import annotations

import collections
import errno
import os
from collections.abc import Sequence
from pathlib import Path

from joulemark.suite.sensors.base import Finding, FindResult, SensorOptions
from joulemark.suite.sensors.rapl.counters import Counter, RaplSensor, error_source, without_duplicates
from joulemark.suite.system.perf_event import open_event

COMPONENTS = {"energy-pkg": "package", "energy-ram": "dram"}
FIX = 'sudo sysctl kernel.perf_event_paranoid=0 (or: sudo setcap cap_perfmon+ep "$(realpath "$(which python)")")'


def find(options: SensorOptions) -> FindResult:
    """Open the energy events of each package."""
    root = Path(options.perf_root)
    try:
        kind = int((root / "type").read_text())
        processors = parse_cpu_list((root / "cpumask").read_text())
    except (OSError, ValueError):
        reason = f"no energy events under {root}"
        return FindResult(None, (Finding("perf", found=False, readable=False, reason=reason),))
    counters: list[Counter] = []
    try:
        for event, component in COMPONENTS.items():
            for processor, scope in scopes(Path(options.cpu_root), processors).items():
                counter = _open(root, kind, event, component, processor, scope)
                if counter is not None:
                    counters.append(counter)
    except OSError as error:
        _close(counters)
        return FindResult(None, (_refused(error),))
    counters = without_duplicates(counters)
    if not any(counter.component == "package" for counter in counters):
        _close(counters)
        reason = f"no event energy-pkg under {root}"
        return FindResult(None, (Finding("perf", found=True, readable=False, reason=reason),))
    sensor = RaplSensor("perf", counters)
    return FindResult(sensor, (sensor.finding(),))


def _close(counters: list[Counter]) -> None:
    for counter in counters:
        counter.close()


def _refused(error: OSError) -> Finding:
    fix = FIX if error.errno in (errno.EACCES, errno.EPERM) else None
    reason = "present but not permitted (kernel.perf_event_paranoid)" if fix else f"perf_event_open: {error.strerror}"
    return Finding("perf", found=True, readable=False, reason=reason, fix=fix)


def _open(root: Path, kind: int, event: str, component: str, processor: int, scope: str) -> Counter | None:
    """Open `event` on `scope`, the package or die of `processor`; None without such an event. Raises OSError.

    It counts from its opening.
    """
    try:
        config = int((root / "events" / event).read_text().partition("=")[2].split(",")[0], 0)
        joules_per_count = float((root / "events" / f"{event}.scale").read_text())
    except (OSError, ValueError):
        return None
    descriptor = open_event(kind, config, processor=processor)
    source = f"perf power event; {error_source(component)}"
    return Counter(component, scope, descriptor, source, 1 / joules_per_count, _read_event)


def _read_event(descriptor: int) -> int:
    return int.from_bytes(os.read(descriptor, 8), "little")


def scopes(root: Path, processors: Sequence[int]) -> dict[int, str]:
    """Return the scope of each of `processors`, named like powercap's zones: `package-0`, or `package-0-die-1` if the
    package has several of them. `root` is Linux's /sys/devices/system/cpu."""
    packages = {processor: _read_id(root, processor, "physical_package_id") for processor in processors}
    counts = collections.Counter(packages.values())
    return {
        processor: f"package-{package}-die-{_read_id(root, processor, 'die_id')}"
        if counts[package] > 1
        else f"package-{package}"
        for processor, package in packages.items()
    }


def _read_id(root: Path, processor: int, name: str) -> str:
    try:
        return (root / f"cpu{processor}" / "topology" / name).read_text().strip()
    except OSError:
        return str(processor)


def parse_cpu_list(text: str) -> list[int]:
    """Return the processors in a list of the kernel's: `0,18-19` -> [0, 18, 19]."""
    processors: list[int] = []
    for interval in text.strip().split(","):
        first, _, last = interval.partition("-")
        processors.extend(range(int(first), int(last or first) + 1))
    return processors
