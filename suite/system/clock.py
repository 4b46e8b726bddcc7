"""CLOCK_MONOTONIC, which all processes of a machine share, for what runs in a user's program.

A test of that program may have frozen Python's clocks: freezegun and most patches replace functions of the module
`time`, and time-machine changes CLOCK_REALTIME alone. None of them reaches this one.
"""

from __future__ import annotations

from time import CLOCK_MONOTONIC, clock_gettime, sleep

__all__ = ["boot_id", "monotonic_s", "sleep"]


def monotonic_s() -> float:
    """Return CLOCK_MONOTONIC, seconds."""
    return clock_gettime(CLOCK_MONOTONIC)


def boot_id() -> str:
    """Return the kernel's id of this boot, which containers on it share; empty where it has none.

    CLOCK_MONOTONIC values are meaningless after the next one.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""
