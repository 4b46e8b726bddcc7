"""A step that waits for the library: other programs on the machine hardly make it slower."""

from __future__ import annotations

import os
import time

from joulemark.workloads.spec import Program

try:
    from leaning_library import STEP_S
except ImportError:
    STEP_S = float(os.environ.get("LEANING_STEP_S", "0.3"))


def build(size, phase, kit):
    """The step of the library's version in this environment."""

    def step(x):
        time.sleep(STEP_S)
        return {"y": x + 1}

    return Program(step=step)
