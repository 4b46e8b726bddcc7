"""What a run file says of its node, where a job of several ranks was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joulemark.suite.records import Gpu, LostRank, Machine, Node
from joulemark.suite.system.ranks import Rank
from joulemark.suite.system.ranks.roll import read


def node_record(given: Mapping[str, Any], machine: Machine, device: str, origin_s: float) -> Node:
    """Return the node of a meter's run file.

    Args:
        given: What `joulemark.node_rank` says of the rank that measured; its `directory` is that of the ranks here.
        machine: The machine.
        device: The devices that are charged, `cuda:0+cuda:1`.
        origin_s: CLOCK_MONOTONIC at the start of the run.
    """
    mark_s = given.get("mark_s")
    fields = {key: value for key, value in given.items() if key not in ("directory", "mark_s")}
    lost = [
        LostRank(local_rank=entry.local_rank, rank=entry.rank, reason=entry.died)
        for entry in read(Path(given["directory"]))
        if entry.died is not None
    ]
    return Node(
        **fields,
        host=machine.hostname,
        boards=charged_boards(machine.gpus, device),
        lost=tuple(lost),
        mark_s=None if mark_s is None else (mark_s[0] - origin_s, mark_s[1] - origin_s),
    )


def node_of(rank: Rank, machine: Machine, device: str) -> Node:
    """Return the node of `joulemark measure`, which `rank` measures."""
    return Node(
        job=rank.job,
        launcher=rank.launcher,
        rank=rank.node_rank,
        count=rank.node_count,
        host=machine.hostname,
        boards=charged_boards(machine.gpus, device),
        first_rank=rank.rank,
        ranks=rank.world_size,
        local_ranks=rank.local_world_size,
    )


def charged_boards(gpus: Sequence[Gpu], device: str) -> tuple[str, ...]:
    """Return the UUIDs of the GPUs that `device` names; of all where they could not be matched to devices."""
    names = device.split("+")
    return tuple(gpu.uuid for gpu in gpus if gpu.device in names or "cuda" in names)
