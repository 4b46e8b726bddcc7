"""Work that was planted in a step is counted, in real trials of all frameworks; work that was not is not.

Dynamo is counted without Inductor, which takes seconds for each step; studies/work_counts.py has all faults and modes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import compiled_counts
import planted_trials
import pytest
from environments import require
from framework_process import Processes
from run_files import case, run_file

from joulemark.suite.records import Case
from joulemark.suite.run.trials import trial_record
from joulemark.suite.stats.pairs import pair_cases
from joulemark.suite.stats.thresholds import Thresholds
from joulemark.suite.stats.work_counts.comparison import compare_counts
from joulemark.suite.trial.fork_server_client import ForkServer

require("torch", "tensorflow", "jax")
pytestmark = pytest.mark.slow

PLANTED = {
    ("pytorch", "eager"): {
        "extra_operator": "operators",
        "extra_copy": "operators",
        "lost_fusion": "operators",
        "dropped_channels_last": "operators",
    },
    ("tensorflow", "eager"): {"extra_operator": "operators", "extra_copy": "operators"},
    ("tensorflow", "graph"): {
        "extra_operator": "graph_nodes",
        "extra_copy": "graph_nodes",
        "lost_fusion": "kernels",
        "dropped_channels_last": "kernels",
        "retraces": "traces",
    },
    ("jax", "eager"): {
        "extra_operator": "operators",
        "extra_copy": "operators",
        "lost_fusion": "operators",
        "dropped_channels_last": "operators",
    },
    ("jax", "jit"): {"extra_operator": "graph_nodes", "lost_fusion": "graph_nodes", "retraces": "traces"},
}
"""The faults of each mode, and a count that must tell of them."""

PRODUCTS = 2 * 4 * (12 * 12 * 8 * 9 * (3 + 8) + 8 * 10)
"""FLOPs of four images: two convolutions of 3 x 3 and 8 filters, over 3 and 8 channels, and a dense layer of 8 x 10."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ForkServer]]:
    with ExitStack() as stack:
        variables = planted_trials.variables(tmp_path_factory.mktemp("scratch"))
        started = {name: ForkServer(name, variables) for name in ("pytorch", "tensorflow", "jax")}
        for server in started.values():
            stack.callback(server.close)
            assert server.wait_ready() == ""
        yield started


def counted(server: ForkServer, framework: str, mode: str, fault: str, **fields: str) -> Case:
    """Return a case with the trial of a step with `fault`, or of the program that `fields` name."""
    outcome = server.run(planted_trials.request(framework, mode, fault, **fields), 60.0)
    assert outcome.trial is not None, outcome.reason
    record = trial_record(outcome, {"round": 1}, 0.0, None)
    assert record.work is not None
    assert record.work.reason is None, record.work.reason
    return case("planted", framework=framework, mode=mode, phase="inference", trials=[record])


def changes(a: Case, b: Case) -> dict[str, str]:
    """Return the verdict on each count that differs between two runs."""
    pairs = pair_cases(run_file([a], id="A"), run_file([b], id="B")).pairs
    return {each.kind.key: each.verdict for each in compare_counts(pairs, Thresholds({})) if each.changed}


@pytest.mark.parametrize(("framework", "mode"), PLANTED)
def test_planted_work_is_found_and_nothing_else(servers: dict[str, ForkServer], framework: str, mode: str) -> None:
    server = servers[framework]
    base, repeated = (counted(server, framework, mode, "none") for _ in range(2))
    assert changes(base, repeated) == {}
    flops = base.ok_trials[0].work.counts.get("flops")  # type: ignore[union-attr]
    assert flops is None or flops.value == PRODUCTS
    for fault, key in PLANTED[framework, mode].items():
        assert changes(base, counted(server, framework, mode, fault)).get(key) == "more", fault


def test_flops_of_a_training_are_those_of_pytorchs_counter(servers: dict[str, ForkServer]) -> None:
    """Of convolutions with and without stride, their gradients and matrix products."""
    modes = {"pytorch": "eager", "tensorflow": "graph", "jax": "jit"}
    flops = []
    for framework, mode in modes.items():
        training = counted(servers[framework], framework, mode, "tiny", workload="cnn", phase="training")
        flops += [trial.work.counts["flops"].value for trial in training.trials if trial.work is not None]
    assert flops[0] == flops[1] == flops[2] > 1e6


def test_what_dynamo_compiles_and_breaks_is_counted() -> None:
    processes = Processes()
    try:
        faults = ("none", "extra_operator", "extra_copy", "lost_fusion", "retraces")
        none, operator, copy, fusion, retraces = (
            processes.call("pytorch", compiled_counts.of_fault, fault).result() for fault in faults
        )
    finally:
        processes.close()
    assert (none["graphs"], none["graph_breaks"]) == (1, 0)
    assert operator == copy == {**none, "graph_nodes": none["graph_nodes"] + 1}
    assert fusion["graphs"] == 2
    assert fusion["graph_breaks"] > 0
    assert retraces["graphs"] == 4  # each of four calls has another shape
