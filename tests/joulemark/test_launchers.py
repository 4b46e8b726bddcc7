"""Real trainings of several ranks under the launchers that people use: the node's energy is counted once.

The counters' energy in the window is known to the microjoule, as in `test_ranks.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from pathlib import Path

import pytest
from environments import require
from rank_programs import ACCELERATE, KERAS, LIGHTNING, TRAINER
from ranked import METER, TIMEOUT_S, TRUE_J, Job

import joulemark
from joulemark.suite.results.jobs.members import members
from joulemark.suite.results.jobs.total import JobTotal, job_total

pytestmark = pytest.mark.slow

EXACT = 1e-6
TORCHRUN = ("-m", "torch.distributed.run", "--standalone")
ACCELERATE_LAUNCH = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines=1", "--main_process_port=0")
"""`--multi_gpu` starts processes on a CPU too, and `--cpu` starts one."""


@pytest.fixture
def job(tmp_path):
    job = Job(tmp_path)
    yield job
    job.close()


def total(job: Job) -> JobTotal:
    files = sorted(job.folder.glob("job*.json"))
    return job_total(members([(str(path), joulemark.read(path)) for path in files]))


def assert_counted_once(job: Job, ranks: int, launcher: str = "torch") -> None:
    """Let the counters run in the ranks' windows, and assert that the job has what they counted."""
    job.open_windows(range(ranks))
    job.run_counters()
    assert set(job.end()) == {0}
    counted = total(job)
    assert counted.energy.energy_j == pytest.approx(TRUE_J, rel=EXACT)
    assert not counted.lower_bound, counted.missing
    (node,) = counted.nodes
    record = node.member.node
    assert (record.launcher, record.ranks, record.local_ranks, record.count) == (launcher, ranks, ranks, 1)
    assert job.result(0)["energy_j"] == pytest.approx(TRUE_J, rel=EXACT)
    for rank in range(1, ranks):
        assert job.result(rank)["energy_j"] is None
        assert f"this is rank {rank} of {ranks}" in job.result(rank)["reason"]


@pytest.mark.parametrize(("launcher", "ranks"), [((), 2), (TORCHRUN, 4)])
def test_lightning(job, launcher, ranks):
    require("torch", "lightning")
    launcher = (*launcher, f"--nproc-per-node={ranks}") if launcher else ()
    job.start(launcher=launcher, program=LIGHTNING, backend=str(ranks))
    assert_counted_once(job, ranks)
    if not launcher:  # Lightning leaves each rank its number, and none how many there are
        reason = (job.folder / "after-1").read_text()
        assert "LOCAL_RANK" in reason


@pytest.mark.parametrize(("launcher", "ranks"), [((*ACCELERATE_LAUNCH, "--num_processes=2"), 2), (TORCHRUN, 4)])
def test_trainer(job, launcher, ranks):
    require("torch", "transformers", "accelerate")
    job.start(launcher=launcher if ranks == 2 else (*launcher, f"--nproc-per-node={ranks}"), program=TRAINER)
    assert_counted_once(job, ranks)


def test_a_loop_of_accelerate(job):
    require("torch", "accelerate")
    job.start(launcher=(*ACCELERATE_LAUNCH, "--num_processes=2"), program=ACCELERATE)
    assert_counted_once(job, 2)


def test_keras_under_multi_worker_mirrored_strategy(job):
    require("tensorflow")
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{each.getsockname()[1]}" for each in (first, second)]
    for rank in range(2):
        config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": rank}}
        job.start({"TF_CONFIG": json.dumps(config), "KERAS_BACKEND": "tensorflow"}, program=KERAS)
    assert_counted_once(job, 2, "tensorflow")


MPI_RANK = 'os.environ["RANK"] = os.environ["OMPI_COMM_WORLD_RANK"]\n'
"""For the program; without LOCAL_RANK it tells no launcher."""


def test_mpirun(job):
    mpirun = shutil.which("mpirun")
    if mpirun is None:
        pytest.skip("mpirun is not installed")
    as_root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    job.start(as_root, before=(mpirun, "--oversubscribe", "-n", "2"), program=MPI_RANK + METER)
    assert_counted_once(job, 2, "mpi")


@pytest.mark.parametrize("dying", [0, 1])
@pytest.mark.parametrize(("package", "program"), [("lightning", LIGHTNING), ("transformers", TRAINER)])
def test_a_rank_that_dies_in_a_training_leaves_a_job_that_says_so(job, package, program, dying):
    require("torch", package)
    job.start(launcher=(*TORCHRUN, "--nproc-per-node=2"), program=program, backend="2")
    job.open_windows(range(2))
    job.run_counters()
    (job.folder / f"die-{dying}").touch()
    assert job.processes[0].wait(TIMEOUT_S) != 0  # torchrun ends the other rank
    _wait_for(job.folder / "job.json")  # the meter process outlives the rank that samples
    counted = total(job)
    assert counted.energy.energy_j == pytest.approx(TRUE_J, rel=EXACT)
    assert counted.lower_bound
    assert (f"rank {dying}", "it was killed") in {(entry.what, entry.reason) for entry in counted.missing}


def _wait_for(path: Path) -> None:
    deadline_s = time.monotonic() + TIMEOUT_S
    while not path.exists():
        assert time.monotonic() < deadline_s, os.listdir(path.parent)
        time.sleep(0.05)
