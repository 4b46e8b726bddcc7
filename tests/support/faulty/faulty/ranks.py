"""A small training, one rank of which misbehaves: the launcher's variables say which it is."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable

from joulemark.workloads.initial import normal
from joulemark.workloads.spec import Sgd

SLEEP_S = 0.03
CULPRIT = 1


def build(fault, kit, in_step: Callable):
    """Return a training whose rank 1 has the fault: `rank_sleeps`, `rank_raises` or `rank_killed`.

    `in_step(misbehave, loss)` returns the loss, and calls `misbehave` in each step.
    """
    layer = kit.prepare(kit.dense(4, 1), normal(0.5))
    calls = 0

    def misbehave():
        nonlocal calls
        calls += 1
        if number() == CULPRIT:
            if fault == "rank_sleeps":
                time.sleep(SLEEP_S)
            if fault == "rank_raises" and calls == 3:
                raise ValueError("planted in a rank")
            if fault == "rank_killed" and calls == 3:
                os.kill(os.getpid(), signal.SIGKILL)

    def forward(x):
        y = layer(x)
        return {"loss": in_step(misbehave, kit.squared_error(y, 0 * y))}

    return kit.training(layer, forward, Sgd(0.1))


def number():
    """Return the rank that this process is, by the variable of torchrun or of TensorFlow; None if it is none."""
    if "TF_CONFIG" in os.environ:
        return json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    return int(os.environ["RANK"]) if "RANK" in os.environ else None
