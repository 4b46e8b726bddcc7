"""Process plumbing that Python's library does not offer: Linux's prctl(2) and the children of a process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

# linux/prctl.h
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def die_with_parent(how: signal.Signals) -> None:
    """Have the kernel send `how` to this process when its parent ends. Without effect where there is no prctl."""
    _prctl(_PR_SET_PDEATHSIG, int(how))


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends, so that none can slip away."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def thread_count() -> int:
    """Threads of this process."""
    return len(os.listdir("/proc/self/task"))


def open_devices() -> list[str]:
    """Accelerator device files that this process holds open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            if target.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
                found.add(target)
    return sorted(found)


def kill_group(leader: int) -> None:
    """Kill every process in the group of `leader`; nothing happens where none is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def kill_children() -> None:
    """Kill and reap all children of this process, and those that come to it as orphans meanwhile."""
    while True:
        children = _children()
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, 0 if children else os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        if not children:
            return


def _children() -> list[int]:
    """Direct children of this process (proc(5): /proc/PID/task/TID/children)."""
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(pid) for pid in (task / "children").read_text().split()]
    return found
