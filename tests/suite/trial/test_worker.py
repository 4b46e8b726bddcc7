"""What a trial reports, on steps whose duration and counts are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from environments import require
from faulty_trials import LIMIT_S, request

from joulemark.suite.run.trials import trial_record
from joulemark.suite.trial.frameworks.prepared import LEARNING_RATE_FACTOR
from joulemark.suite.trial.worker import PIECE, root_mean_square

require("torch")


def test_a_step_that_sleeps_20_ms_is_measured_as_20_ms(server):
    trial = server.run(request("sleeps_20_ms", window_s=1.0), LIMIT_S).trial
    start, end = trial["window"]
    assert trial["steps"] == len(trial["block_s"]) * trial["steps_per_block"]
    # Never shorter than the sleep; a loaded machine wakes up late, but not in every block.
    assert (end - start) / trial["steps"] >= 0.020
    assert min(trial["block_s"]) / trial["steps_per_block"] < 0.040


def test_blocks_fill_the_window_without_a_gap(server):
    trial = server.run(request("none"), LIMIT_S).trial
    start, end = trial["window"]
    assert sum(trial["block_s"]) == pytest.approx(end - start, rel=1e-9)
    assert end - start >= 0.3


def test_a_step_that_is_recompiled_in_the_window_is_counted(server):
    compiled = replace(request("retraces", window_s=2.5), mode="compile")
    assert server.run(compiled, LIMIT_S).trial["counters"]["traces_in_window"] > 0
    assert "traces_in_window" not in server.run(request("none"), LIMIT_S).trial["counters"]


def test_resident_idle_lies_between_load_and_first_call(server):
    without = request("none")
    effort = replace(without.effort, resident_idle_s=1.0)
    trial = server.run(replace(without, effort=effort), LIMIT_S).trial
    start, end = trial["resident_idle"]
    assert end - start >= 1.0
    assert end < trial["window"][0]
    assert trial["first_call_s"] < trial["window"][0] - end
    assert server.run(without, LIMIT_S).trial["resident_idle"] is None


def test_latencies_are_percentiles_of_single_steps(server):
    without = request("sleep")
    latency = server.run(replace(without, effort=replace(without.effort, latency_s=0.5)), LIMIT_S).trial["latency"]
    assert 0.005 <= latency["p50_s"] <= latency["p95_s"] <= latency["p99_s"]
    assert 1 < latency["steps"] <= 100
    assert server.run(without, LIMIT_S).trial["latency"] is None


def test_counts_are_divided_by_the_steps_that_were_run(server):
    """A step that sleeps has one context switch, also if the window has few blocks and another block precedes it."""
    trial = server.run(request("sleep", window_s=0.05), LIMIT_S).trial
    assert len(trial["block_s"]) <= 6
    assert trial["counters"]["context_switches_voluntary"] == pytest.approx(1.0, abs=0.1)


def test_the_digest_of_large_outputs_is_that_of_the_whole_array():
    random = np.random.default_rng(1)
    real = random.standard_normal((3, PIECE), dtype=np.float32)[:, 5:]
    for array in (real, real.astype(np.float64), real + 1j * real[::-1], real > 0, (100 * real).astype(np.int32)):
        expected = np.sqrt(np.mean(np.abs(array).astype(np.float64) ** 2))
        assert root_mean_square(array) == pytest.approx(expected, rel=1e-12)
    real[2, -1] = np.nan
    assert np.isnan(root_mean_square(real))
    assert root_mean_square(np.float32(-2.0)) == 2.0


def test_a_training_is_the_same_at_its_last_step_as_at_its_first(server):
    """Of a real workload, whose loss would fall by more than half."""
    plain = request("none", window_s=1.0)
    outcome = server.run(replace(plain, workload="mlp", size="tiny", phase="training", batch_size=8), LIMIT_S)
    trial = outcome.trial
    assert trial["warmup_steps"] + trial["steps"] > 100
    assert (trial["input_batches"], trial["input_bytes"]) == (16, 16 * 8 * (4 * 784 + 8))
    assert trial["result"]["last"]["loss"] == pytest.approx(trial["result"]["first"]["loss"], rel=1e-4)
    state = trial_record(outcome, {"round": 1}, 0.0, None).training
    assert (state.learning_rate_factor, state.reason) == (LEARNING_RATE_FACTOR, None)
    assert state.loss.first == pytest.approx(trial["result"]["first"]["loss"], rel=1e-6)
    assert max(state.loss.change, state.gradient_norm.change) < 1e-3


def test_first_and_last_step_are_on_the_same_batch(server):
    trial = server.run(request("none"), LIMIT_S).trial
    assert trial["input_batches"] == 16
    assert trial["result"]["first"] == trial["result"]["last"]
    assert trial["training"] is None
    assert server.run(replace(request("none"), one_batch=True), LIMIT_S).trial["input_batches"] == 1


@pytest.mark.parametrize(
    ("fault", "loss", "reason"),
    [
        ("raises_in_norms", None, "ValueError: planted in the norms (in training_state)"),
        ("drifts", {"first": 1.0, "last": 2.0}, "gradient_norm: inf at first, inf at last"),
    ],
)
def test_norms_that_fail_leave_the_trial_ok(server, fault, loss, reason):
    outcome = server.run(request(fault), LIMIT_S)
    assert outcome.reason_code is None
    assert outcome.trial["training"].get("loss") == loss
    assert outcome.trial["training"]["reason"] == reason
    assert trial_record(outcome, {"round": 1}, 0.0, None).status == "ok"
