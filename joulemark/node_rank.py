"""A meter's process as one rank of several: who counts the energy of its node, and what a run file says of the job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joulemark.suite.system.ranks import Rank, find
from joulemark.suite.system.ranks.roll import RollFile, directory_of, join, read

Document = dict[str, Any]

SELECTING = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
"""Variables that may give each rank GPUs of its own."""

_joined: dict[tuple[int, Path], RollFile | None] = {}
"""By process id, which a forked child has another of."""


class NodeRank:
    """One rank. The first of each node samples for all of them, and the others' windows say so."""

    def __init__(self, rank: Rank) -> None:
        """Take part as `rank` among those of this node."""
        self.rank = rank
        self._directory = directory_of(rank)
        key = os.getpid(), self._directory
        if key not in _joined:
            visible = {name: os.environ[name] for name in SELECTING if name in os.environ}
            _joined[key] = join(rank, visible)

    @property
    def counts_the_node(self) -> bool:
        """Whether this rank samples its node."""
        return self.rank.counts_the_node

    @property
    def first_has_died(self) -> str | None:
        """How the rank that samples this node ended; None where it lives, or has ended well."""
        return next((entry.died for entry in read(self._directory) if entry.local_rank == 0), None)

    def reason(self) -> str:
        """Return why this rank's windows have no energy."""
        own, first = self.rank.rank, "the first rank"
        place = f"local rank {self.rank.local_rank}" if own is None else f"rank {own}"
        this = f"this is {place} of {self.rank.world_size}"
        died = self.first_has_died
        if died is not None:
            return f"{first} of this node, which sampled it for all of them, {died}; {this}"
        return f"counted by {first} of this node, which samples it for all of them; {this}"

    def path(self, path: Path) -> Path:
        """Return where the run file of this node goes: nodes may share a file system."""
        return path if self.name is None else path.with_name(f"{path.stem}.{self.name}{path.suffix}")

    @property
    def name(self) -> str | None:
        """Which node of the job this is: `node1`, or `rank8` where only ranks are numbered; None for the only one."""
        if self.rank.node_count == 1:
            return None
        node = self.rank.node_rank
        return f"rank{self.rank.rank}" if node is None else f"node{node}"

    def visible(self) -> dict[str, str]:
        """Return the variables that select the GPUs of all ranks on this node."""
        entries = [entry.visible for entry in read(self._directory)]
        return {name: value for name in SELECTING if (value := _united(name, [os.environ, *entries])) is not None}

    def document(self, mark_s: tuple[float, float] | None) -> Document:
        """Return what a run file says of this node; `mark_s` is from `Meter.align`."""
        rank = self.rank
        return {
            "job": rank.job,
            "launcher": rank.launcher,
            "rank": rank.node_rank,
            "count": rank.node_count,
            "first_rank": rank.rank,
            "ranks": rank.world_size,
            "local_ranks": rank.local_world_size,
            "mark_s": mark_s,
            "directory": str(self._directory),
        }


def this_rank(given: Rank | None = None) -> NodeRank | None:
    """Return which rank this process is; None where it works alone. UsageError as `suite.system.ranks.find`."""
    rank = given or find()
    return NodeRank(rank) if rank is not None else None


def _united(name: str, environments: list[Mapping[str, str]]) -> str | None:
    """Return all GPUs that one of `environments` names; None where one is not limited to any."""
    if any(name not in environment for environment in environments):
        return None
    named = [gpu.strip() for environment in environments for gpu in environment[name].split(",")]
    return ",".join(dict.fromkeys(filter(None, named)))
