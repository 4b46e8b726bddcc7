"""The cores that threads may run on. A library can bind a thread to fewer, and what it starts inherits that."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection


def allowed_cores() -> str:
    """Return the cores that this thread may run on as a list of ranges, `0-3,8`; empty where the system has no such.

    The form is that of Cpus_allowed_list (proc(5), /proc/PID/status).
    """
    return as_ranges(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ""


def move_to(cores: Collection[int]) -> None:
    """Let all threads of this process run on `cores` only."""
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):  # it has ended
            os.sched_setaffinity(int(thread), cores)


def as_ranges(numbers: set[int]) -> str:
    """Return `numbers` as ranges: {0, 1, 2, 5} -> `0-2,5`."""
    first = sorted(number for number in numbers if number - 1 not in numbers)
    last = sorted(number for number in numbers if number + 1 not in numbers)
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in zip(first, last, strict=True))
