"""Instructions and cycles of one step, from the processor's own counters through perf_event_open(2).

They are those of all threads of this process in user mode, which a process may count for itself up to
kernel.perf_event_paranoid = 2. Virtual machines and containers often have no such counters.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from joulemark.suite.system import perf_event

HARDWARE: Final = 0
"""PERF_TYPE_HARDWARE (include/uapi/linux/perf_event.h)."""
EVENTS: Final = {"instructions": 1, "cycles": 0}
"""PERF_COUNT_HW_INSTRUCTIONS and PERF_COUNT_HW_CPU_CYCLES."""
_FLAGS: Final = perf_event.INHERIT | perf_event.EXCLUDE_KERNEL | perf_event.EXCLUDE_HYPERVISOR


class SharedCounterError(Exception):
    """Others used the processor's counters too, so that this one did not count all the time."""


def count(step: Callable[[], object], synchronize: Callable[[], None]) -> dict[str, float | str]:
    """Call `step` once for each event and return its counts, or the reason why there is none."""
    return {name: _counted(HARDWARE, event, step, synchronize) for name, event in EVENTS.items()}


def _counted(kind: int, event: int, step: Callable[[], object], synchronize: Callable[[], None]) -> float | str:
    """Return how often an event happened in one step, or why that is not known."""
    try:
        return count_event(kind, event, step, synchronize)
    except OSError as error:
        reasons = {
            errno.ENOENT: "this processor shows no such counter, as most virtual machines do not",
            **dict.fromkeys((errno.EACCES, errno.EPERM), "not permitted (kernel.perf_event_paranoid)"),
        }
        return reasons.get(error.errno or 0, f"perf_event_open: {error.strerror}")
    except SharedCounterError:
        return "other programs used the processor's counters at the same time"


def count_event(kind: int, event: int, step: Callable[[], object], synchronize: Callable[[], None]) -> float:
    """Return how often an event of `kind` happened in one step, in all threads of this process.

    Raises OSError if the kernel refuses to count it, and SharedCounterError if it did not count all the time.
    """
    with contextlib.ExitStack() as stack:
        descriptors = []
        for task in Path("/proc/self/task").iterdir():
            descriptors.append(perf_event.open_event(kind, event, thread=int(task.name), times=True, flags=_FLAGS))
            stack.callback(os.close, descriptors[-1])
        before = _total(descriptors)
        step()
        synchronize()
        return float(_total(descriptors) - before)


def _total(descriptors: list[int]) -> int:
    """Return the sum of the counters; each also gives the times that it was enabled and that it counted."""
    values = [struct.unpack("=3Q", os.read(descriptor, 24)) for descriptor in descriptors]
    if any(counted < enabled for _, enabled, counted in values):
        raise SharedCounterError
    return sum(value for value, _, _ in values)
