"""Trials of two real ranks: their window, a slow one found, one that fails or dies, and none left behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from environments import require
from faulty_trials import request

from joulemark.suite.records import Case
from joulemark.suite.results.ranks.slowest import slowest_rank
from joulemark.suite.run.trials import trial_record
from joulemark.suite.trial.outcome import Outcome

require("torch")
pytestmark = pytest.mark.slow

SLEEP_S = 0.01
"""What rank 1 sleeps in each step (`faulty.ranks`)."""


def run(server, fault: str, strategy: str | None = "ddp") -> Outcome:
    """Run a trial of two ranks."""
    asked = replace(request(fault), phase="training", batch_size=4, ranks=2, strategy=strategy)
    return server.run(asked, 120.0)


@pytest.fixture(scope="module")
def slow(server):
    """Return the record of a trial whose rank 1 sleeps in each step."""
    outcome = run(server, "rank_sleeps")
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
    assert fast < SLEEP_S <= late
    fields = dict.fromkeys(("workload_version", "size", "phase", "framework", "mode", "allocator", "item"), "")
    case = Case(id="x", workload="x", device="cpu", precision="fp32", batch_size=4, threads=1, status="ok", **fields)
    assert slowest_rank(case.model_copy(update={"trials": (slow,)})).rank == 1


@pytest.mark.parametrize(
    ("fault", "codes", "reason"),
    [
        ("rank_raises", ("raised",), "rank 1: ValueError: planted in a rank"),
        ("rank_killed", ("killed", "crashed"), "rank 1: the process "),  # as it or another rank is seen first
    ],
)
def test_a_rank_that_fails_ends_the_trial_and_is_named(server, fault, codes, reason):
    outcome = run(server, fault)
    assert outcome.trial is None
    assert outcome.reason_code in codes
    assert outcome.reason.startswith(reason)


def test_ranks_apart_train_each_for_itself(server):
    trial = run(server, "none_of_ranks", strategy=None).trial
    assert [rank["rank"] for rank in trial["ranks"]] == [0, 1]
    assert "backend" not in trial["environment"]
    assert run(server, "none_of_ranks").trial["environment"]["backend"] == "gloo"
