"""Which of a job's processes this one is, from the environment that its launcher sets.

Launchers that nest all set their variables: torchrun under srun, mpirun in an sbatch job. The innermost one that
started several processes is believed: torchrun and its like, then MPI, then srun, then TF_CONFIG, which a user sets.

A set that is not whole gives way to the next one. Where ranks are said to exist and no set tells the rank on the node,
nobody can tell who counts the node: UsageError. A Slurm batch script or notebook has `SLURM_PROCID=0` and the tasks of
its allocation too, and is no rank: only srun sets `SLURM_STEP_ID`.

Sources: the documents of torchrun ("Environment Variables"), srun and mpirun (Open MPI, Hydra), of DeepSpeed's
`launcher/launch.py`, and of `tf.distribute` (TF_CONFIG).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

from joulemark.suite.errors import UsageError
from joulemark.suite.system.ranks.rank import Environment, Rank, digest, job_name

MAX_TASKS = 1 << 20
"""A list of tasks by node that is longer is a mistake."""


def find(environment: Environment | None = None) -> Rank | None:
    """Return which rank this process is; None for a process that works alone.

    Args:
        environment: Environment variables (default: those of this process, now).

    Raises:
        UsageError: where variables are no numbers, contradict one another, or tell of ranks but not which is this.
    """
    environment = os.environ if environment is None else environment
    for read in (_torch, _mpi, _slurm, _tensorflow):
        rank = read(environment)
        if rank is not None and rank.world_size > 1:
            return rank
    for rank_name, size_name, missing in _HALF:
        if rank_name in environment and (_number(environment, size_name) or 1) > 1:
            raise UsageError(
                f"{rank_name} and {size_name} tell of several ranks, but not which is the first on each node: "
                f"set {missing}, 0 for the one that counts the node."
            )
    local_rank = _number(environment, "LOCAL_RANK")
    if local_rank and not environment.get("WORLD_SIZE", "").strip():  # as Lightning leaves it after a training
        raise UsageError(
            f"LOCAL_RANK is {local_rank}, so that another rank counts this node, but WORLD_SIZE is not set: "
            "set it to the number of ranks, or unset LOCAL_RANK in a process that works alone."
        )
    return None


_HALF = (("RANK", "WORLD_SIZE", "LOCAL_RANK"), ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"))
"""Variables that tell of ranks, and the one that is missing then."""


def _torch(environment: Environment) -> Rank | None:
    local_rank = _number(environment, "LOCAL_RANK")
    world_size = _number(environment, "WORLD_SIZE")
    if local_rank is None or not world_size:
        return None
    local_size = _first(environment, "LOCAL_WORLD_SIZE", "LOCAL_SIZE")
    rank = _number(environment, "RANK")
    node = _first(environment, "GROUP_RANK", "NODE_RANK", "CROSS_RANK")
    if rank is None:  # Lightning's own launcher
        rank = local_rank if not node else node * local_size + local_rank if local_size else None
    return _rank(
        "torch",
        world_size,
        local_rank,
        rank,
        local_size,
        node,
        _first(environment, "GROUP_WORLD_SIZE", "CROSS_SIZE"),
        job_name(environment),
    )


_MPI = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_SIZE"),
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
)
"""Rank, size, local rank and local size of Open MPI, MVAPICH, and Hydra (MPICH, Intel MPI)."""


_MPI_JOB = ("SLURM_JOB_ID", "PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid", "PMI_JOBID")


def _mpi(environment: Environment) -> Rank | None:
    for names in _MPI:
        rank, world_size, local_rank, local_size = (_number(environment, name) for name in names)
        if rank is not None and world_size and local_rank is not None:
            job = job_name(environment, _MPI_JOB)
            return _rank("mpi", world_size, local_rank, rank, local_size, None, None, job, contiguous=False)
    return None


def _slurm(environment: Environment) -> Rank | None:
    rank, local_rank = _number(environment, "SLURM_PROCID"), _number(environment, "SLURM_LOCALID")
    world_size = _first(environment, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS")
    is_step = "SLURM_STEP_ID" in environment or "SLURM_STEPID" in environment
    if rank is None or local_rank is None or not world_size or (not rank and not is_step):
        return None
    node = _number(environment, "SLURM_NODEID")
    by_node = environment.get("SLURM_STEP_TASKS_PER_NODE") or environment.get("SLURM_TASKS_PER_NODE")
    local_size = _tasks_of_node(by_node, node or 0) if by_node else _number(environment, "SLURM_NTASKS_PER_NODE")
    nodes = _first(environment, "SLURM_STEP_NUM_NODES", "SLURM_NNODES", "SLURM_JOB_NUM_NODES")
    job = job_name(environment, ("SLURM_JOB_ID", "SLURM_STEP_ID"))
    return _rank("slurm", world_size, local_rank, rank, local_size, node, nodes, job, contiguous=False)


def _tensorflow(environment: Environment) -> Rank | None:
    text = environment.get("TF_CONFIG", "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
        cluster = config.get("cluster", {})
        if any(isinstance(cluster.get(kind), str) for kind in _KINDS):
            raise TypeError("no list of addresses")
        tasks = [(kind, str(address)) for kind in _KINDS for address in cluster.get(kind, ())]
        kind, index = config["task"]["type"], int(config["task"]["index"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise UsageError(f"TF_CONFIG is not JSON with `cluster` and `task`, found {text!r:.80}.") from None
    if len(tasks) <= 1:
        return None
    places = [place for place, task in enumerate(tasks) if task[0] == kind]
    if not 0 <= index < len(places):
        raise UsageError(f"TF_CONFIG has task {kind} {index!r:.40}, which its cluster of {len(tasks)} does not have.")
    rank = places[index]
    hosts = [address.rpartition(":")[0] or address for _, address in tasks]
    nodes = list(dict.fromkeys(hosts))
    return Rank(
        "tensorflow",
        len(tasks),
        hosts[:rank].count(hosts[rank]),
        rank,
        hosts.count(hosts[rank]),
        nodes.index(hosts[rank]),
        len(nodes),
        digest(json.dumps(tasks)),
    )


_KINDS = ("chief", "master", "worker", "ps")
"""Kinds of task of TF_CONFIG, in the order of their ranks."""


def _rank(
    launcher: str,
    world_size: int,
    local_rank: int,
    rank: int | None,
    local_size: int | None,
    node: int | None,
    nodes: int | None,
    job: str,
    contiguous: bool = True,
) -> Rank:
    """Return a rank with what follows from equal nodes; `contiguous`: each node's ranks follow one another."""
    if local_size and world_size % local_size == 0:
        nodes = nodes or world_size // local_size
        # accelerate sets these variables under mpirun too, which may map ranks to nodes in turn.
        contiguous = contiguous and rank is not None and rank % local_size == local_rank
        if node is None and rank is not None and (contiguous or nodes == 1):
            node = rank // local_size
    return Rank(launcher, world_size, local_rank, rank, local_size, node, nodes, job)


def _number(environment: Environment, name: str) -> int | None:
    """Return a variable as a number of 0 or more; None where it is not set. UsageError where it is something else."""
    text = environment.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError(f"the environment variable {name} is a number of 0 or more, found {text!r:.40}.")
    return int(text)


def _first(environment: Environment, *names: str) -> int | None:
    """Return the first of the variables that is set, as a number."""
    return next((number for name in names if (number := _number(environment, name)) is not None), None)


def _tasks_of_node(text: str, node: int) -> int | None:
    """Return the number of tasks on a node from a list such as `2(x3),1`; None where it does not say."""
    for count, repeats in _repeats(text):
        if node < repeats:
            return count
        node -= repeats
    return None


def _repeats(text: str) -> Iterator[tuple[int, int]]:
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,7})(?:\(x(\d{1,7})\))?\s*", part)
        if match is None:
            return
        yield int(match[1]), min(int(match[2] or 1), MAX_TASKS)
