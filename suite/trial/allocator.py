"""One allocator policy for both frameworks.

glibc gives freed memory back to the kernel and maps large blocks anew each time (mallopt(3): M_TRIM_THRESHOLD,
M_MMAP_THRESHOLD). PyTorch on the CPU allocates each step's activations through it and pays thousands of page faults a
step; TensorFlow keeps its memory by itself. `retain` lets glibc keep memory for both; `default` is what users get.
"""

from __future__ import annotations

import ctypes
from typing import Literal

Policy = Literal["retain", "default"]

# Parameters of mallopt(3), glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_SETTINGS = (
    (_M_TRIM_THRESHOLD, 2**31 - 1),  # bytes; the largest value that mallopt's int takes
    (_M_TOP_PAD, 64 * 2**20),  # bytes asked for beyond the need, so that the heap grows in few steps
    (_M_MMAP_MAX, 0),  # no block of its own mapping: those go back to the kernel with each free
)


def apply(policy: Policy) -> str:
    """Set `policy` in this process, before anything is allocated; returns what is in force.

    `retain`, `default`, or `unavailable` where there is no glibc or it refused.
    """
    if policy == "default":
        return "default"
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return "unavailable"
    return "retain" if all(mallopt(parameter, value) == 1 for parameter, value in _SETTINGS) else "unavailable"
