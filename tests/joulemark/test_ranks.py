"""Several ranks on one node: its energy is counted once, whatever started them, and a rank that dies is named.

What the counters of the simulated processor count in a window is known to the microjoule.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from environments import require
from ranked import LIGHTNING, TIMEOUT_S, TRAINER, TRUE_J, Job, variables

import joulemark
from joulemark import meter_process
from joulemark.suite.results.jobs.members import members
from joulemark.suite.results.jobs.total import JobTotal, job_total

pytestmark = pytest.mark.slow

TORCHRUN_2 = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
EXACT = 1e-6
"""Counters have microjoules, and stand still at both ends of every window."""


@pytest.fixture
def job(tmp_path):
    job = Job(tmp_path)
    yield job
    job.close()


def total(job: Job) -> JobTotal:
    files = sorted(job.folder.glob("job*.json"))
    return job_total(members([(str(path), joulemark.read(path)) for path in files]))


def one_meter(job: Job, monkeypatch: pytest.MonkeyPatch) -> joulemark.Meter:
    """Return a meter of this process, which is no rank, on the same counters."""
    monkeypatch.setenv("JOULEMARK_POWERCAP_ROOT", str(job.powercap))
    monkeypatch.setenv("JOULEMARK_HOME", str(job.folder / "home"))
    meter = joulemark.Meter("one", zone="CH", sensor="rapl")
    meter.prepare()
    return meter


@pytest.mark.parametrize(("ranks", "backend"), [(2, "gloo"), (4, "none")])
def test_the_ranks_of_torchrun_are_one_meter(job, monkeypatch, ranks, backend):
    require("torch")
    job.start(launcher=["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"], backend=backend)
    with one_meter(job, monkeypatch) as one:
        job.open_windows(range(ranks))
        job.run_counters()
    assert job.end() == [0]
    counted = total(job)
    assert one.energy.value == pytest.approx(TRUE_J, rel=EXACT)
    assert counted.energy.energy_j / one.energy.value == pytest.approx(1.00, rel=EXACT)
    meter_process.close()
    assert not counted.lower_bound
    (node,) = counted.nodes
    assert (node.member.node.ranks, node.member.node.local_ranks, node.member.node.count) == (ranks, ranks, 1)
    assert job.result(0)["energy_j"] == pytest.approx(TRUE_J, rel=EXACT)
    for rank in range(1, ranks):
        assert job.result(rank)["energy_j"] is None  # never 0, and never the node's again
        assert job.result(rank)["reason"] == (
            f"counted by the first rank of this node, which samples it for all of them; this is rank {rank} of {ranks}"
        )
    assert (node.offset.offset_s is not None) == (backend == "gloo")


def test_two_nodes_on_one_machine_count_it_once(job):
    for rank in range(2):
        job.start(variables(rank, ranks=2, nodes=2))
    job.open_windows(range(2))
    job.run_counters()
    assert job.end() == [0, 0]
    assert [job.result(rank)["energy_j"] for rank in range(2)] == pytest.approx([TRUE_J] * 2, rel=EXACT)
    assert [Path(job.result(rank)["path"]).name for rank in range(2)] == ["job.node0.json", "job.node1.json"]
    counted = total(job)
    assert counted.energy.energy_j == pytest.approx(TRUE_J, rel=EXACT)
    assert any("same machine" in note for note in counted.notes)
    (job.folder / "job.node0.json").unlink()
    alone = total(job)
    assert alone.energy.energy_j == pytest.approx(TRUE_J, rel=EXACT)
    assert [(entry.what, entry.reason) for entry in alone.missing] == [("node 0", "it has no run file")]


@pytest.mark.parametrize("dying", [1, 0])
def test_a_rank_that_dies_leaves_a_job_that_says_so(job, dying):
    for rank in range(2):
        job.start(variables(rank, ranks=2))
    job.open_windows(range(2))
    job.run_counters()
    (job.folder / f"die-{dying}").touch()
    assert job.processes[dying].wait(TIMEOUT_S) == -9
    deadline_s = time.monotonic() + TIMEOUT_S  # the meter process of a rank that died writes its file
    while dying == 0 and not (job.folder / "job.json").exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    job.end()
    counted = total(job)
    assert counted.energy.energy_j == pytest.approx(TRUE_J, rel=EXACT)
    assert counted.lower_bound
    assert (f"rank {dying}", "it was killed") in {(entry.what, entry.reason) for entry in counted.missing}
    if dying == 0:
        assert "which sampled it for all of them, was killed" in job.result(1)["reason"]


@pytest.mark.parametrize(
    ("package", "program", "launcher"),
    [("lightning", LIGHTNING, []), ("accelerate", TRAINER, TORCHRUN_2)],
    ids=["lightning", "transformers"],
)
def test_a_training_in_two_processes_is_one_job(job, package, program, launcher):
    """Lightning starts the other process itself."""
    require("torch", package)
    job.start(launcher=launcher, program=program)
    job.open_windows(range(2))
    job.run_counters()
    assert job.end() == [0]
    counted = total(job)
    assert counted.energy.energy_j == pytest.approx(TRUE_J, rel=EXACT)
    assert not counted.lower_bound
    (node,) = counted.nodes
    assert (node.member.node.ranks, node.member.node.count) == (2, 1)
    assert job.result(0)["energy_j"] == pytest.approx(TRUE_J, rel=EXACT)
    assert job.result(1)["energy_j"] is None
    assert "counted by the first rank" in job.result(1)["reason"]


def test_half_set_variables_leave_the_program_alone_and_say_why(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.warns(RuntimeWarning, match="set LOCAL_RANK"), joulemark.Meter() as meter:
        pass
    assert meter.energy.value is None
    assert "set LOCAL_RANK" in meter.energy.reason
