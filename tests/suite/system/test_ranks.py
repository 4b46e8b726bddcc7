"""Each launcher's environment says which rank a process is; what it cannot say is None or one clear line."""

import json

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.system.ranks import Rank, find

TORCHRUN = {
    "LOCAL_RANK": "1",
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_WORLD_SIZE": "4",
    "GROUP_RANK": "1",
    "GROUP_WORLD_SIZE": "2",
    "TORCHELASTIC_RUN_ID": "none",
    "MASTER_ADDR": "10.0.0.1",
    "MASTER_PORT": "29500",
}
DEEPSPEED = {
    "RANK": "5",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "8",
    "LOCAL_SIZE": "4",
    "CROSS_RANK": "1",
    "CROSS_SIZE": "2",
    "MASTER_ADDR": "10.0.0.1",
    "MASTER_PORT": "29500",
}
BATCH = {
    "SLURM_JOB_ID": "17",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
    "SLURM_NTASKS": "5",
    "SLURM_NNODES": "3",
    "SLURM_TASKS_PER_NODE": "2(x2),1",
}
SRUN = {**BATCH, "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "5", "SLURM_STEP_TASKS_PER_NODE": "2(x2),1"}
OPEN_MPI = {
    "OMPI_COMM_WORLD_RANK": "5",
    "OMPI_COMM_WORLD_SIZE": "8",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
}
HYDRA = {"PMI_RANK": "1", "PMI_SIZE": "4", "MPI_LOCALRANKID": "1", "MPI_LOCALNRANKS": "4"}


def tf_config(kind: str, index: int, hosts: str = "a a b b") -> dict[str, str]:
    workers = [f"{host}:{2222 + number}" for number, host in enumerate(hosts.split())]
    cluster = {"worker": workers[1:], "chief": workers[:1]}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (TORCHRUN, ("torch", 5, 8, 1, 4, 1, 2)),
        (DEEPSPEED, ("torch", 5, 8, 1, 4, 1, 2)),
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "2", "NODE_RANK": "0"}, ("torch", 1, 2, 1, None, 0, None)),  # Lightning
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "4", "NODE_RANK": "1"}, ("torch", None, 4, 1, None, 1, None)),
        ({**SRUN, "SLURM_PROCID": "4", "SLURM_NODEID": "2"}, ("slurm", 4, 5, 0, 1, 2, 3)),
        (SRUN, ("slurm", 0, 5, 0, 2, 0, 3)),
        ({**BATCH, "SLURM_PROCID": "1", "SLURM_LOCALID": "1"}, ("slurm", 1, 5, 1, 2, 0, 3)),
        (OPEN_MPI, ("mpi", 5, 8, 1, 4, None, 2)),  # mpirun may map ranks to nodes in turn
        (HYDRA, ("mpi", 1, 4, 1, 4, 0, 1)),
        # accelerate's own, under an mpirun that maps ranks to nodes in turn
        ({"RANK": "1", "LOCAL_RANK": "0", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}, ("torch", 1, 4, 0, 2, None, 2)),
        ({"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}, ("torch", 3, 4, 1, 2, 1, 2)),
        (tf_config("worker", 1), ("tensorflow", 2, 4, 0, 2, 1, 2)),
        (tf_config("chief", 0), ("tensorflow", 0, 4, 0, 2, 0, 2)),
    ],
)
def test_ranks(environment: dict[str, str], expected: tuple[object, ...]) -> None:
    rank = find(environment)
    assert rank is not None
    assert expected == (
        rank.launcher,
        rank.rank,
        rank.world_size,
        rank.local_rank,
        rank.local_world_size,
        rank.node_rank,
        rank.node_count,
    )


@pytest.mark.parametrize(
    "environment",
    [
        {},
        BATCH,  # the script of an allocation of five tasks that started one program, or a notebook in it
        {**SRUN, "SLURM_STEP_NUM_TASKS": "1"},
        {"LOCAL_RANK": "0", "RANK": "0", "WORLD_SIZE": "1"},
        {"LOCAL_RANK": "0"},
        {"TF_CONFIG": ""},
        tf_config("chief", 0, "a"),
    ],
)
def test_a_process_that_works_alone_is_no_rank(environment: dict[str, str]) -> None:
    assert find(environment) is None


def test_the_innermost_launcher_of_several_processes_is_believed() -> None:
    assert find({**SRUN, **TORCHRUN}) == find({**TORCHRUN, "SLURM_JOB_ID": "17"})
    one = {"LOCAL_RANK": "0", "RANK": "0", "WORLD_SIZE": "1"}
    rank = find({**SRUN, "SLURM_PROCID": "1", "SLURM_LOCALID": "1", **one})
    assert rank is not None
    assert (rank.launcher, rank.local_rank) == ("slurm", 1)
    rank = find({**SRUN, "RANK": "0", "WORLD_SIZE": "5"})  # a script that derives these from Slurm's
    assert rank is not None
    assert rank.launcher == "slurm"


def test_ranks_of_a_job_agree_on_it_and_other_jobs_differ() -> None:
    others = [{**TORCHRUN, "RANK": "0", "LOCAL_RANK": "0", "GROUP_RANK": "0"}, {**TORCHRUN, "MASTER_PORT": "29501"}]
    first, same, other = (rank.job for env in (TORCHRUN, *others) if (rank := find(env)))
    assert first == same != other
    assert "10.0.0.1" not in first


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"RANK": "1", "WORLD_SIZE": "4"}, "set LOCAL_RANK"),
        ({"PMI_RANK": "1", "PMI_SIZE": "4"}, "set MPI_LOCALRANKID"),
        ({"LOCAL_RANK": "1"}, "another rank counts this node, but WORLD_SIZE is not set"),
        ({"LOCAL_RANK": "1", "WORLD_SIZE": " "}, "another rank counts this node, but WORLD_SIZE is not set"),
        ({**TORCHRUN, "RANK": "8"}, "rank 8 and world size 8"),
        ({**TORCHRUN, "LOCAL_RANK": "4"}, "local rank 4 and local world size 4"),
        ({**TORCHRUN, "RANK": "-1"}, "RANK is a number of 0 or more, found '-1'"),
        ({"TF_CONFIG": "{"}, "TF_CONFIG is not JSON with"),
        ({"TF_CONFIG": '{"cluster": 3}'}, "TF_CONFIG is not JSON with"),
        ({"TF_CONFIG": '{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}'}, "TF_CONFIG is not"),
        ({"TF_CONFIG": '{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 1e999}}'}, "TF_CONFIG is"),
        ({"TF_CONFIG": "[" * 100_000}, "TF_CONFIG is not JSON with"),
        ({"LOCAL_RANK": "5", "WORLD_SIZE": "2", "RANK": "0"}, "local rank 5 and world size 2"),
        ({"LOCAL_RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "4"}, "local world size 4 and world size 2"),
        ({"LOCAL_RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "0"}, "local rank 0 and local world size 0"),
        (tf_config("evaluator", 0), "task evaluator 0, which its cluster of 4"),
    ],
)
def test_what_contradicts_is_one_line(environment: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told) as raised:
        find(environment)
    assert "\n" not in str(raised.value)


def test_the_first_rank_on_each_node_counts_it() -> None:
    counting = [
        number for number in range(8) if Rank("torch", 8, number % 4, rank=number, local_world_size=4).counts_the_node
    ]
    assert counting == [0, 4]
