"""Two ranks of one training in two runs, as on two nodes: each has its own rank, and both take the same steps."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from command import FAST_ROUNDS, start
from environments import known, require

from joulemark.suite.records import RunFile
from joulemark.suite.results.run_files import read
from joulemark.suite.system.ranks.span import Span, first_port

require("torch")
pytestmark = pytest.mark.slow

JOB = "20261101T120000Z-test"
ARGUMENTS = (
    *("run", "--profile", "fast", "--workload", "gpt2", "--size", "tiny", "--framework", "pytorch", "--rounds", "2"),
    *("--phase", "training", "--offline", "--no-report", "--threads", "1", "--sensor", "simulated:rapl/constant"),
    *("-k", "strategy and nodes", "--ranks", "2", "--nodes", "2", "--out", "out"),
)


def node(home: Path, number: int) -> subprocess.Popen[str]:
    home.mkdir()
    (home / "joulemark.toml").write_text(FAST_ROUNDS)
    here = Span(JOB, number, 2, "127.0.0.1", first_port(str(home.parent)))
    return start(home, *ARGUMENTS, *known("pytorch"), **here.variables(), GLOO_SOCKET_IFNAME="lo")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunFile]:
    root = tmp_path_factory.mktemp("nodes")
    processes = [node(root / f"node{number}", number) for number in range(2)]
    try:
        ended = [(process.communicate(timeout=600)[1], process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [code for _, code in ended] == [0, 0], ended
    return [read(next((root / f"node{number}" / "out").glob("*.json"))) for number in range(2)]


def test_each_node_has_its_own_ranks(runs: list[RunFile]) -> None:
    for number, run in enumerate(runs):
        (case,) = run.cases
        assert case.id.endswith("+nodes=2+ranks=2+strategy=ddp")
        assert (case.ranks, case.nodes, case.local_ranks, case.status) == (2, 2, 1, "ok")
        for trial in case.trials:
            assert [rank.rank for rank in trial.ranks] == [number]
            assert trial.items == trial.ranks[0].items  # those of the other node are in its own file
            assert (trial.environment["world_size"], trial.environment["backend"]) == ("2", "gloo")


def test_the_ranks_take_the_same_steps(runs: list[RunFile]) -> None:
    """Steps that communicate block until both take them: their numbers are those of rank 0."""
    first, second = (run.cases[0].trials for run in runs)
    assert [(trial.steps, trial.steps_per_block) for trial in first] == [
        (trial.steps, trial.steps_per_block) for trial in second
    ]


def test_each_rank_has_data_of_its_own(runs: list[RunFile]) -> None:
    losses = [run.cases[0].trials[0].result.first["loss"] for run in runs]
    assert losses[0] != losses[1]


def test_the_order_is_the_same(runs: list[RunFile]) -> None:
    assert len({run.run.order_seed for run in runs}) == 1
