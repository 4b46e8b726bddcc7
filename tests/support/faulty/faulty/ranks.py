"""A small training, one rank of which misbehaves: the launcher's variable says which it is."""

from __future__ import annotations

import os
import signal
import time

from torch import nn

from joulemark.workloads.spec import Sgd

SLEEP_S = 0.01
RANK = "1"


def build(fault, kit):
    """Return a training whose rank 1 has the fault: `rank_sleeps`, `rank_raises` or `rank_killed`."""
    model = nn.Linear(1, 1)
    calls = 0

    def forward(x):
        nonlocal calls
        calls += 1
        if os.environ.get("RANK") == RANK:
            if fault == "rank_sleeps":
                time.sleep(SLEEP_S)
            if fault == "rank_raises" and calls == 3:
                raise ValueError("planted in a rank")
            if fault == "rank_killed" and calls == 3:
                os.kill(os.getpid(), signal.SIGKILL)
        return {"loss": model(x.reshape(-1, 1)).square().mean()}

    return kit.training(model, forward, Sgd(0.1))
