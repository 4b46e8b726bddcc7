"""Trials of the workload `planted`, whose size names the work that its step does too much of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from places import SUPPORT

from joulemark.suite.trial import environment
from joulemark.suite.trial.request import Effort, Request

QUICK = Effort(window_s=0.02, warmup_s=0.0, max_warmup_s=0.0, guard_s=0.0, min_blocks=1, counted=True)
"""Little but the counting."""


def request(framework: str, mode: str, fault: str, workload: str = "planted", **fields: object) -> Request:
    """Return the request for a trial that counts the work of a step with `fault`; `none` for one without."""
    values: dict[str, object] = {
        "workload": workload,
        "size": fault,
        "phase": "inference",
        "framework": framework,
        "mode": mode,
        "device": "cpu",
        "precision": "fp32",
        "batch_size": 4,
        "threads": 1,
        "allocator": "retain",
        "seed": 1,
        "effort": QUICK,
    }
    return Request(**{**values, **fields})


def variables(scratch: Path) -> Mapping[str, str]:
    """Return the environment of a fork server that finds `planted`."""
    path = os.pathsep.join(filter(None, [str(SUPPORT / "planted"), os.environ.get("PYTHONPATH", "")]))
    return {**environment.build(dict(os.environ), 1, scratch).variables, "PYTHONPATH": path}
