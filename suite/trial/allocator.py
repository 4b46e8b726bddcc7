"""One allocator policy for all frameworks.

glibc returns freed memory to the kernel and maps large blocks anew each time (mallopt(3): M_TRIM_THRESHOLD,
M_MMAP_THRESHOLD). PyTorch on the CPU allocates the activations of each step through it and pays thousands of page
faults a step; TensorFlow keeps its memory itself. `retain` makes glibc keep memory for both; `default` is what users
get.
"""

from __future__ import annotations

import ctypes
from typing import Literal

Policy = Literal["retain", "default"]
# Parameters of mallopt(3), glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
_SETTINGS = (
    (_M_TRIM_THRESHOLD, 2**31 - 1),  # bytes; the largest value that mallopt's int takes
    (_M_TOP_PAD, 64 * 2**20),  # bytes requested beyond the need: the heap grows in few steps
    (_M_MMAP_MAX, 0),  # no separate mappings: they return to the kernel with each free
)


def apply(policy: Policy) -> str:
    """Set `policy` in this process, before anything is allocated. Return what is in force.

    That is `retain`, `default`, or `unavailable` if there is no glibc or it refused.
    """
    if policy == "default":
        return "default"
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return "unavailable"
    return "retain" if all(mallopt(parameter, value) == 1 for parameter, value in _SETTINGS) else "unavailable"
