"""The run files that make up one job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Node, RunFile


@dataclass(frozen=True)
class Member:
    """The run file of one node."""

    name: str
    """Its path, as it is named in messages."""
    run_file: RunFile
    node: Node

    @property
    def machine(self) -> str:
        """What tells machines apart: the boot id, which containers on one machine share, whatever their host names."""
        boot_id = self.run_file.run.segments[0].boot_id if self.run_file.run.segments else ""
        return boot_id or f"host {self.node.host}"

    @property
    def clock_s(self) -> float:
        """CLOCK_MONOTONIC of the machine at the start of the run; it is the same in all containers on it."""
        segments = self.run_file.run.segments
        return segments[0].monotonic_s - segments[0].at_s if segments else 0.0

    @property
    def label(self) -> str:
        """What to call the node."""
        return f"node {self.node.rank}" if self.node.rank is not None else f"the node of rank {self.node.first_rank}"

    def utc(self, time_s: float) -> datetime:
        """Return a time of the run as a time of the node's clock."""
        return datetime.fromisoformat(self.run_file.run.started_at) + timedelta(seconds=time_s)


def members(files: Sequence[tuple[str, RunFile]]) -> list[Member]:
    """Return the nodes of a job from their run files, by node. A run that is there twice counts once.

    Raises:
        UsageError: where one of them is of no job, or they are of several.
    """
    found: dict[str, Member] = {}
    for name, run_file in files:
        if run_file.node is None:
            raise UsageError(
                f"{name} is no part of a job: it was not measured by `run --on`, nor in a rank that torchrun, "
                "accelerate, srun, mpirun or TF_CONFIG tells of. Name the run files of one job's nodes."
            )
        found.setdefault(run_file.run.id, Member(name, run_file, run_file.node))
    jobs = {member.node.job: member for member in found.values()}
    if len(jobs) > 1:
        first, second = list(jobs.values())[:2]
        raise UsageError(
            f"{first.name} and {second.name} are of two jobs ({first.node.job} and {second.node.job}): "
            "name the run files of one."
        )
    if not found:
        raise UsageError("there is no run file of a job. Name those of its nodes, or their directory.")
    return sorted(found.values(), key=_order)


def _order(member: Member) -> tuple[float, float, str]:
    """Order by node, then by the rank that measured, then by time: ids begin with it."""
    unknown = float("inf")
    node, rank = member.node.rank, member.node.first_rank
    return unknown if node is None else node, unknown if rank is None else rank, member.run_file.run.id
