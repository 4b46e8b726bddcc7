"""PyTorch's ranks on several nodes: where their launchers meet, and how ranks wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import distributed

from joulemark.suite.trial.ranks.strategy import Meeting


def rendezvous(meeting: Meeting) -> dict[str, Any]:
    """Return the fields of a LaunchConfig by which the launchers of a trial find each other.

    As `torchrun --nnodes N --node-rank I --master-addr A --master-port P` has it: nodes keep their numbers.
    """
    node = meeting.node
    return {
        "min_nodes": node.nodes,
        "max_nodes": node.nodes,
        "run_id": node.trial_id(meeting.trial),
        "rdzv_backend": "static",
        "rdzv_endpoint": node.endpoint(meeting.trial),
        "rdzv_configs": {"rank": node.node},
    }


def connection(cuda: bool) -> tuple[Callable[[], object], Callable[[float], float]]:
    """Return a barrier of all ranks, and what gives a number of rank 0 to all. Once the process group is there."""
    group = distributed.new_group(backend="gloo") if cuda else None

    def agree(number: float) -> float:
        agreed = torch.tensor([number], dtype=torch.float64)
        distributed.broadcast(agreed, 0, group=group)
        return float(agreed)

    return lambda: distributed.barrier(group=group), agree
