"""One process of several, and what its job is called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from joulemark.suite.errors import UsageError

Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rank:
    """One process of several that work together. Counts and numbers are None where the launcher does not tell them."""

    launcher: str
    """`torch` (torchrun, accelerate, DeepSpeed, Lightning), `mpi`, `slurm` or `tensorflow`."""
    world_size: int
    local_rank: int
    """Number of this process on its node, from 0."""
    rank: int | None = None
    local_world_size: int | None = None
    node_rank: int | None = None
    node_count: int | None = None
    job: str = ""
    """What all ranks of a job have in common: a digest of the launcher's identifiers."""

    def __post_init__(self) -> None:
        """Raise UsageError where the numbers contradict one another. One that works alone may have those of others."""
        if self.world_size <= 1:
            return
        pairs = (
            ("rank", self.rank, "world size", self.world_size),
            ("local rank", self.local_rank, "local world size", self.local_world_size),
            ("local rank", self.local_rank, "world size", self.world_size),
            ("node rank", self.node_rank, "number of nodes", self.node_count),
        )
        sizes = (("local world size", self.local_world_size), ("number of nodes", self.node_count))
        beyond = [(name, size, "world size", self.world_size) for name, size in sizes if (size or 0) > self.world_size]
        for name, number, size_name, size in (*pairs, *beyond):
            if number is not None and size is not None and (number >= size or number < 0):
                raise UsageError(f"the environment ({self.launcher}) has {name} {number} and {size_name} {size}.")

    @property
    def counts_the_node(self) -> bool:
        """Whether this is the rank that samples its node: the lowest on it."""
        return self.local_rank == 0


_TORCH_JOB = ("SLURM_JOB_ID", "TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT")


def job_name(environment: Environment, names: Sequence[str] = _TORCH_JOB) -> str:
    """Return a digest of what identifies a job. Nodes agree on it, and it gives no host name away."""
    return digest("\n".join(f"{name}={environment.get(name, '')}" for name in names))


def digest(text: str) -> str:
    """Return the beginning of a digest of `text`, which gives nothing of it away."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
