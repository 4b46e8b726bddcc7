"""The second way to RAPL: the kernel's perf events `power/energy-pkg/` and `power/energy-ram/`.

Open to processes with CAP_PERFMON, or to all where kernel.perf_event_paranoid is 0 or less, while powercap is for root
only. The kernel accumulates them in 64 bits, so that they never wrap (arch/x86/events/rapl.c).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from joulemark.suite.records import BoardState, Channel
from joulemark.suite.sensors import update_period
from joulemark.suite.sensors.base import Finding, Opened, Options
from joulemark.suite.sensors.cpu_topology import is_same_counter, scopes, socket
from joulemark.suite.sensors.rapl import GAINS, PROBE_S, TICK_S, gain_source

COMPONENTS = {"energy-pkg": "package", "energy-ram": "dram"}
SYSCALLS = {"x86_64": 298, "aarch64": 241}
"""Numbers of perf_event_open (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h)."""
ATTRIBUTE_BYTES = 64  # linux/perf_event.h, PERF_ATTR_SIZE_VER0
PERF_FLAG_FD_CLOEXEC = 8
FIX = 'sudo sysctl kernel.perf_event_paranoid=0 (or: sudo setcap cap_perfmon+ep "$(realpath "$(which python)")")'


@dataclass(frozen=True)
class Counter:
    """An open event on one processor package, or on one of its dies."""

    component: str
    scope: str
    descriptor: int
    joules_per_count: float

    def count(self) -> int | None:
        """What was counted since it was opened; None where it cannot be read any more."""
        try:
            return int.from_bytes(os.read(self.descriptor, 8), "little")
        except OSError:
            return None

    def read(self) -> float | None:
        """Joules counted since it was opened; None where it cannot be read any more."""
        count = self.count()
        return None if count is None else count * self.joules_per_count


class Perf:
    """All energy events of the machine."""

    name = "perf"
    simulated = False
    period_s = 0.1
    stamp_s: float | None = None

    def __init__(self, counters: Sequence[Counter], tick_s: float) -> None:
        self._counters = counters
        self.channels = tuple(
            Channel(
                component=counter.component,
                scope=counter.scope,
                unit="J",
                kind="counter",
                tick_s=tick_s,
                gain=GAINS[counter.component],
                source=f"perf power event; {gain_source(counter.component)}",
            )
            for counter in counters
        )
        self.wrap_j: tuple[float | None, ...] = (None,) * len(counters)

    def read(self) -> list[float | None]:
        return [counter.read() for counter in self._counters]

    def states(self) -> tuple[BoardState, ...]:
        return ()

    def close(self) -> None:
        for counter in self._counters:
            os.close(counter.descriptor)


def find(options: Options) -> Opened:
    """Open the energy events of each package."""
    root = Path(options.perf_root)
    try:
        kind = int((root / "type").read_text())
        processors = _list((root / "cpumask").read_text())
    except (OSError, ValueError):
        reason = f"no energy events under {root}"
        return Opened(None, (Finding("perf", found=False, readable=False, reason=reason),))
    counters: list[Counter] = []
    try:
        for event, component in COMPONENTS.items():
            for processor, scope in scopes(Path(options.cpu_root), processors).items():
                counter = _open(root, kind, event, component, processor, scope)
                if counter is not None:
                    counters.append(counter)
    except OSError as error:
        for counter in counters:
            os.close(counter.descriptor)
        return Opened(None, (_refused(error),))
    counters = _without_mirrors(counters)
    if not any(counter.component == "package" for counter in counters):
        for counter in counters:
            os.close(counter.descriptor)
        reason = f"no event energy-pkg under {root}"
        return Opened(None, (Finding("perf", found=True, readable=False, reason=reason),))
    found = update_period.probe({str(n): counter.read for n, counter in enumerate(counters)}, PROBE_S, pause_s=0.0)
    sensor = Perf(counters, max(found.values(), default=TICK_S))
    begin_s = time.perf_counter()
    sensor.read()
    cost_s = time.perf_counter() - begin_s
    names = ", ".join(f"{counter.component} {counter.scope}" for counter in counters)
    tick_s = sensor.channels[0].tick_s
    finding = Finding("perf", True, True, reason=f"reads {names}", tick_s=tick_s, read_cost_s=cost_s)
    return Opened(sensor, (finding,))


def _refused(error: OSError) -> Finding:
    fix = FIX if error.errno in (errno.EACCES, errno.EPERM) else None
    reason = "present but not permitted (kernel.perf_event_paranoid)" if fix else f"perf_event_open: {error.strerror}"
    return Finding("perf", found=True, readable=False, reason=reason, fix=fix)


def _without_mirrors(counters: Sequence[Counter]) -> list[Counter]:
    """Leave out a die whose counter is an earlier one's (Threadripper): a joule that both show was drawn once."""
    kept: list[Counter] = []
    for counter in counters:
        twins = [k for k in kept if k.component == counter.component and socket(k.scope) == socket(counter.scope)]
        if any(is_same_counter(twin.count, counter.count) for twin in twins):
            os.close(counter.descriptor)
        else:
            kept.append(counter)
    return kept


def _open(root: Path, kind: int, event: str, component: str, processor: int, scope: str) -> Counter | None:
    """The event on `scope`, the package or die of `processor`; None where this machine has no such event."""
    try:
        config = int((root / "events" / event).read_text().partition("=")[2].split(",")[0], 0)
        scale = float((root / "events" / f"{event}.scale").read_text())
    except (OSError, ValueError):
        return None
    return Counter(component, scope, _perf_event_open(kind, config, processor), scale)


def _perf_event_open(kind: int, config: int, processor: int) -> int:
    """perf_event_open(2) for all processes on one processor. OSError where the kernel refuses."""
    number = SYSCALLS.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"perf events are not known on {platform.machine()}")
    attributes = struct.pack("=IIQ", kind, ATTRIBUTE_BYTES, config).ljust(ATTRIBUTE_BYTES, b"\0")
    library = ctypes.CDLL(None, use_errno=True)
    call = partial(library.syscall, ctypes.c_long(number), attributes)
    descriptor: int = call(
        ctypes.c_int(-1), ctypes.c_int(processor), ctypes.c_int(-1), ctypes.c_ulong(PERF_FLAG_FD_CLOEXEC)
    )
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return descriptor


def _list(text: str) -> list[int]:
    """`0,18-19` -> [0, 18, 19]."""
    found: list[int] = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found
