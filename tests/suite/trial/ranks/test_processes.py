"""Trials of two real ranks: their window, a slow one found, one that fails or dies, and none left behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from environments import require
from faulty_trials import request

from joulemark.suite.records import Case, Trial
from joulemark.suite.results.ranks.slowest import slowest_rank
from joulemark.suite.run.trials import trial_record
from joulemark.suite.trial.fork_server_client import ForkServer
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.outcome import Outcome

pytestmark = pytest.mark.slow

SLEEP_S = 0.03
"""What rank 1 sleeps in each step (`faulty.ranks`)."""
STRATEGIES = {"ddp": "pytorch", "fsdp": "pytorch", "multiworker": "tensorflow"}
"""Those whose ranks are processes, and their frameworks."""
BACKENDS = {"ddp": "gloo", "fsdp": "gloo", "multiworker": "RING"}
Run = Callable[[str, str | None], Outcome]


@pytest.fixture(scope="module", params=STRATEGIES)
def strategy(request) -> str:
    require(FRAMEWORKS[STRATEGIES[request.param]].module)
    return request.param


@pytest.fixture(scope="module")
def server_of(variables) -> Iterator[Callable[[str], ForkServer]]:
    """Return what starts the fork server of a framework, once."""
    started: dict[str, ForkServer] = {}

    def server_of(framework: str) -> ForkServer:
        if framework not in started:
            started[framework] = ForkServer(framework, variables)
            assert started[framework].wait_ready() == ""
        return started[framework]

    yield server_of
    for each in started.values():
        each.close()


@pytest.fixture(scope="module")
def run(strategy, server_of) -> Run:
    """Return what runs a trial of two ranks with a fault."""
    return lambda fault, using=strategy: run_trial(server_of, STRATEGIES[strategy], fault, using)


def run_trial(server_of: Callable[[str], ForkServer], framework: str, fault: str, strategy: str | None) -> Outcome:
    """Run a trial of two ranks with a batch of 4 each."""
    mode = next(iter(FRAMEWORKS[framework].strategies.values())).modes[0]
    how = {"framework": framework, "mode": mode, "strategy": strategy}
    # Windows of ranks that do not wait for each other must overlap on a busy machine too.
    asked = request(fault, window_s=0.3 if strategy else 3.0)
    return server_of(framework).run(replace(asked, phase="training", batch_size=4, ranks=2, **how), 120.0)


@pytest.fixture(scope="module")
def slow(run) -> Trial:
    """Return the record of a trial whose rank 1 sleeps in each step."""
    outcome = run("rank_sleeps")
    assert outcome.trial is not None, outcome.reason
    return trial_record(outcome, {"round": 1, "started_s": 0.0}, 0.0, None)


def test_all_ranks_are_in_the_window_and_their_items_are_added_up(slow):
    start, end = slow.window_s
    assert len(slow.ranks) == 2
    for rank in slow.ranks:
        assert rank.window_s[0] <= start < end <= rank.window_s[1]
        assert rank.items == 4 * rank.steps
    assert len({rank.steps for rank in slow.ranks}) == 1  # they communicate in each
    assert slow.items == pytest.approx(8 * slow.steps, abs=8)


def test_all_ranks_go_at_the_speed_of_the_slow_one_and_it_is_named(slow):
    assert slow.window_length_s / slow.steps >= SLEEP_S * 0.9
    fast, late = (rank.own_s for rank in slow.ranks)
    assert late >= SLEEP_S
    assert fast < late
    fields = dict.fromkeys(("workload_version", "size", "phase", "framework", "mode", "allocator", "item"), "")
    case = Case(id="x", workload="x", device="cpu", precision="fp32", batch_size=4, threads=1, status="ok", **fields)
    assert slowest_rank(case.model_copy(update={"trials": (slow,)})).rank == 1


@pytest.mark.parametrize(
    ("fault", "codes", "reason"),
    [
        ("rank_raises", ("raised",), "rank 1: .*planted in a rank"),
        ("rank_killed", ("killed", "crashed"), "rank 1: the process "),  # as it or another rank is seen first
    ],
)
def test_a_rank_that_fails_ends_the_trial_and_is_named(run, fault, codes, reason):
    outcome = run(fault)
    assert outcome.trial is None
    assert outcome.reason_code in codes
    assert re.match(reason, outcome.reason)


def test_ranks_apart_train_each_for_itself(run, strategy):
    outcome = run("none_of_ranks", None)
    assert outcome.trial is not None, outcome.reason
    trial = outcome.trial
    assert [rank["rank"] for rank in trial["ranks"]] == [0, 1]
    assert "backend" not in trial["environment"]
    assert run("none_of_ranks").trial["environment"]["backend"] == BACKENDS[strategy]


def test_replicas_of_one_process_train_the_items_of_all_ranks(server_of):
    require("tensorflow")
    trial = run_trial(server_of, "tensorflow", "none_of_ranks", "mirrored").trial
    assert trial["items"] == 8 * trial["steps"]
    assert "ranks" not in trial
    assert trial["environment"]["replicas"] == "2"
    assert trial["training"]["gradient_norm"]["first"] > 0
