"""The system call perf_event_open(2), for counters of the kernel and of the processor."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from functools import partial
from typing import Final

SYSCALLS: Final = {"x86_64": 298, "aarch64": 241}
"""Its number (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h)."""
# include/uapi/linux/perf_event.h
INHERIT: Final = 1 << 1
EXCLUDE_KERNEL: Final = 1 << 5
EXCLUDE_HYPERVISOR: Final = 1 << 6
_ATTRIBUTE_BYTES: Final = 64  # PERF_ATTR_SIZE_VER0
_TIMES: Final = 0b11  # PERF_FORMAT_TOTAL_TIME_ENABLED, PERF_FORMAT_TOTAL_TIME_RUNNING
_CLOSE_ON_EXEC: Final = 8  # PERF_FLAG_FD_CLOEXEC


def open_event(
    kind: int, event: int, thread: int = -1, processor: int = -1, times: bool = False, flags: int = 0
) -> int:
    """Open an event and return its descriptor, from which 8 bytes are read, or 24 with `times`. It counts at once.

    Args:
        kind: Type of the event, such as PERF_TYPE_HARDWARE.
        event: Which of that type.
        thread: The thread that it is counted in; -1: all, on `processor`.
        processor: The processor that it is counted on; -1: any, in `thread`.
        times: Whether a read also gives how long it was enabled, and how long it counted, nanoseconds.
        flags: Of INHERIT, EXCLUDE_KERNEL and EXCLUDE_HYPERVISOR.

    Raises:
        OSError: If the kernel refuses.
    """
    number = SYSCALLS.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"the system call's number is not known on {platform.machine()}")
    read_format = _TIMES if times else 0
    fields = struct.pack("=IIQQQQQ", kind, _ATTRIBUTE_BYTES, event, 0, 0, read_format, flags)
    call = partial(
        ctypes.CDLL(None, use_errno=True).syscall, ctypes.c_long(number), fields.ljust(_ATTRIBUTE_BYTES, b"\0")
    )
    descriptor: int = call(
        ctypes.c_int(thread), ctypes.c_int(processor), ctypes.c_int(-1), ctypes.c_ulong(_CLOSE_ON_EXEC)
    )
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return descriptor
