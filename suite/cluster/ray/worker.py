"""What Ray changes in its workers, undone: a run is to be as if somebody had typed it on the node."""

from __future__ import annotations

import os
from collections.abc import Mapping

import psutil

from joulemark.suite.errors import UsageError


def users_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that a user has on this node: those of Ray's own process there.

    Ray adds to them for its workers: OMP_NUM_THREADS, CUDA_VISIBLE_DEVICES.
    """
    try:
        raylet = psutil.Process(os.getppid()).environ()
    except (psutil.Error, OSError):
        raylet = dict(environment)
    return {
        name: value
        for name, value in environment.items()
        if raylet.get(name) == value and not name.startswith(("RAY_", "SPT_"))
    }


def restore_niceness() -> None:
    """Give this thread, and what it starts, the priority of Ray's own process: workers have a lower one.

    Raises UsageError where that is not allowed: what else runs on the node would slow a run down.
    """
    try:
        wanted = psutil.Process(os.getppid()).nice()
    except (psutil.Error, OSError):
        wanted = 0
    present = os.getpriority(os.PRIO_PROCESS, 0)
    if present <= wanted:
        return
    try:
        os.setpriority(os.PRIO_PROCESS, 0, wanted)
    except OSError:
        raise UsageError(
            f"Ray runs its workers there with niceness {present}, which this user may not lower to {wanted}: set "
            "RAY_worker_niceness=0 for `ray start`"
        ) from None
