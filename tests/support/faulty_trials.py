"""Trials of the workload `faulty`, whose size names the fault that its step has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from places import SUPPORT

from joulemark.suite.trial import environment
from joulemark.suite.trial.request import Effort, Request

LIMIT_S = 600.0
"""Limit of a trial that ends by itself, seconds: also on a busy machine, none takes so long."""


def request(fault: str, window_s: float = 0.3) -> Request:
    """Return the request for a trial with `fault`; `none` for one without."""
    return Request(
        workload="faulty",
        size=fault,
        phase="inference",
        framework="pytorch",
        mode="eager",
        device="cpu",
        precision="fp32",
        batch_size=1,
        threads=1,
        allocator="retain",
        seed=1,
        effort=Effort(window_s=window_s, warmup_s=0.05, max_warmup_s=0.3, guard_s=0.01),
    )


def variables(scratch: Path, pid_file: Path, user: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return the environment of a fork server that finds `faulty`; some faults write a process id to `pid_file`.

    `user` are variables of the user's besides those of this process.
    """
    built = environment.build({**os.environ, **user}, 1, scratch)
    path = os.pathsep.join(filter(None, [str(SUPPORT / "faulty"), os.environ.get("PYTHONPATH", "")]))
    return {**built.variables, "PYTHONPATH": path, "FAULTY_PID_FILE": str(pid_file)}
