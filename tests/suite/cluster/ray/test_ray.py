"""A Ray cluster of two nodes that are hosts of their own: measured, lost, resumed, interrupted.

Node i draws (i + 1) x 60 W by its own counters, whatever it does.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import ray_cluster
from command import FAST_ROUNDS
from environments import known, require
from ray_cluster import RayCluster

from joulemark.suite.cluster import job_file
from joulemark.suite.records import RunFile
from joulemark.suite.results.run_files import read

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
if reason := ray_cluster.why_not():
    pytest.skip(reason, allow_module_level=True)
require("torch")

LIMIT_S = 600.0
TOKEN = "a-token-that-nobody-else-may-see"
SELECTION = (
    *("--profile", "fast", "--workload", "matmul", "--framework", "pytorch", "--mode", "eager", "--threads", "1"),
    *("--offline", *known("pytorch")),
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    with ray_cluster.running(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def home(cluster: RayCluster, tmp_path: Path) -> Path:
    for node in cluster.nodes[1:]:
        if not node.runs:  # a test that failed may have left it so
            node.start()
    (tmp_path / "joulemark.toml").write_text(FAST_ROUNDS)
    return tmp_path


def start(cluster: RayCluster, home: Path, *arguments: str) -> subprocess.Popen[str]:
    where = ("--out", str(home / "out"))
    return cluster.joulemark(home, "run", *where, *arguments, ELECTRICITYMAPS_API_TOKEN=TOKEN)


def on_ray(cluster: RayCluster, rounds: int) -> tuple[str, ...]:
    return ("--on", f"ray:{cluster.address}", "--rounds", str(rounds), *SELECTION)


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=LIMIT_S)
    return process.returncode, output, errors


def wait_for_trials(process: subprocess.Popen[str], nodes: int) -> None:
    """Read what a run prints until each of so many nodes has measured a trial."""
    assert process.stderr is not None
    seen: set[str] = set()
    for line in process.stderr:
        if "[1/" in line or "[2/" in line:
            seen.add(line.split(":")[0])
        if len(seen) == nodes:
            return
    raise AssertionError(f"only {seen} measured anything")


def head_of(process: subprocess.Popen[str]) -> psutil.Process:
    """Return the process of joulemark that `nsenter` has started."""
    (head,) = psutil.Process(process.pid).children()
    return head


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def the_job(home: Path) -> job_file.JobFile:
    (path,) = (home / "out").glob("*.job")
    return job_file.read(path)


def runs(home: Path) -> list[RunFile]:
    return [read(home / "out" / f"{part.run}.json") for part in the_job(home).parts if part.run is not None]


def watts(run: RunFile) -> list[float]:
    """Return the mean power of each trial, by its readings and its window."""
    return [
        sum(reading.energy_j or 0.0 for reading in trial.energy) / trial.window_length_s
        for case in run.cases
        for trial in case.trials
    ]


def test_the_plan_runs_on_both_nodes(cluster: RayCluster, home: Path) -> None:
    process = start(cluster, home, *on_ray(cluster, 2), "--json")
    wait_for_trials(process, 2)
    commands = [" ".join(each.cmdline()) for node in cluster.nodes for each in node.processes("joulemark")]
    assert any("joulemark run" in command for command in commands)
    assert not any(TOKEN in command for command in commands)
    code, output, errors = finished(process)
    assert code == 0, errors
    found = runs(home)
    for number, run in enumerate(found):
        assert watts(run) == pytest.approx([60.0 * (number + 1)] * 2, rel=0.05)
        assert run.node is not None
        assert (run.node.host, run.node.rank, run.node.launcher) == (ray_cluster.HOST, number, "ray")
    assert len({run.node.machine for run in found if run.node} | {run.run.segments[0].boot_id for run in found}) == 4
    document = json.loads(output)
    total = sum(sum(r.energy_j or 0.0 for r in t.energy) for run in found for c in run.cases for t in c.trials)
    assert document["energy_j"] == pytest.approx(total)
    assert (document["lower_bound"], document["complete"], len(document["nodes"])) == (False, True, 2)
    page = Path(document["report"]).read_text()
    assert "Each node measured the same plan by itself" in page
    kept = "".join(path.read_text() for path in (home / "out").iterdir() if path.suffix in (".job", ".json", ".html"))
    assert TOKEN not in kept
    assert not any(list(node.root.glob("home/cluster/*/*")) for node in cluster.nodes)
    wait_until(lambda: not cluster.left())


def test_a_lost_node_is_a_failed_part_and_resume_does_it(cluster: RayCluster, home: Path) -> None:
    process = start(cluster, home, *on_ray(cluster, 6))
    wait_for_trials(process, 2)
    lost = cluster.nodes[1]
    lost.kill()
    code, output, errors = finished(process)
    job = the_job(home)
    assert code == 4, errors
    assert [part.status for part in job.parts] == ["ok", "failed"]
    assert "lost" in job.parts[1].reason
    assert "≥ lacks:\n  node 1: " in output
    assert len(runs(home)[0].cases[0].trials) == 6  # the rest is kept
    assert "node 1: " in next((home / "out").glob("*.html")).read_text()

    lost.start()  # another boot of the same machine
    code, _, errors = finished(start(cluster, home, "--resume", job.id))
    assert code == 0, errors
    assert the_job(home).complete
    again = runs(home)[1]
    assert len(again.cases[0].trials) == 6
    assert len(again.run.segments) == 2  # what it had finished before was on its disk
    assert watts(again) == pytest.approx([120.0] * 6, rel=0.05)
    wait_until(lambda: not cluster.left())


def test_ctrl_c_keeps_what_is_finished_and_leaves_no_process(cluster: RayCluster, home: Path) -> None:
    process = start(cluster, home, *on_ray(cluster, 20))
    wait_for_trials(process, 2)
    head_of(process).send_signal(signal.SIGINT)
    code, _, errors = finished(process)
    assert code == 130, errors
    assert [part.status for part in the_job(home).parts] == ["interrupted"] * 2
    assert all(1 <= len(run.cases[0].trials) < 20 for run in runs(home))
    wait_until(lambda: not cluster.left())


def test_a_killed_head_leaves_no_process(cluster: RayCluster, home: Path) -> None:
    process = start(cluster, home, *on_ray(cluster, 20))
    wait_for_trials(process, 2)
    head_of(process).kill()
    finished(process)
    wait_until(lambda: not cluster.left())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--on", "ray:10.77.0.99:6379"), "no Ray cluster answers at 10.77.0.99:6379"),
        (("--on", "ray:10.77.0.1"), "an address is HOST:PORT"),
        (("--on", "ray:10.77.0.1:6379", "--nodes", "3"), "--nodes 3: the cluster has 2 nodes that can measure"),
        (("--on", "ray:10.77.0.1:6379", "--intensity", "here/grid.csv"), "give an absolute path"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    cluster: RayCluster, home: Path, options: tuple[str, ...], message: str
) -> None:
    code, _, errors = finished(start(cluster, home, *options, *SELECTION))
    assert code == 2
    assert message in errors
    assert [line for line in errors.splitlines() if line.startswith("joulemark: ")] == [errors.splitlines()[-1]]
    assert not (home / "out").exists()


def test_two_ranks_across_two_nodes(cluster: RayCluster, home: Path) -> None:
    """Each node has one rank of a training, by Gloo over the network between them; the job has the joules of both."""
    train = (
        "--profile",
        "fast",
        "--workload",
        "gpt2",
        "--size",
        "tiny",
        "--phase",
        "training",
        "--framework",
        "pytorch",
    )
    options = (
        "--on",
        f"ray:{cluster.address}",
        "--ranks",
        "2",
        "--rounds",
        "1",
        "--offline",
        "--threads",
        "1",
        "--json",
    )
    code, output, errors = finished(start(cluster, home, *options, *train, *known("pytorch")))
    assert code == 0, errors
    found = runs(home)
    for number, run in enumerate(found):
        case = next(case for case in run.cases if case.id.endswith("+nodes=2+ranks=2+strategy=ddp"))
        (trial,) = case.trials
        assert [rank.rank for rank in trial.ranks] == [number]
        assert (trial.environment["world_size"], trial.environment["backend"]) == ("2", "gloo")
        assert watts(run) == pytest.approx([60.0 * (number + 1)] * 4, rel=0.05)
        assert case.efficiency is not None
        assert case.efficiency.value is not None
        assert run.node is not None
        assert (run.node.apart, run.node.rank, run.node.ranks, run.node.local_ranks) == (False, number, 2, 1)
    document = json.loads(output)
    total = sum(sum(r.energy_j or 0.0 for r in t.energy) for run in found for c in run.cases for t in c.trials)
    assert (document["energy_j"], document["lower_bound"]) == (pytest.approx(total), False)
    page = Path(document["report"]).read_text()
    assert 'id="job"' in page
    assert "Every joule is counted once" in page
    wait_until(lambda: not cluster.left())
