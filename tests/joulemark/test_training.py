"""The marks of a training: its blocks of steps, and what the saved run file and its export make of them."""

from __future__ import annotations

import json
import time

import pytest

import joulemark
from joulemark import meter_process
from joulemark.suite.results.export import pytest_benchmark
from joulemark.training import Training

STEP_S = 0.001
"""A step sleeps for at least this long."""


@pytest.fixture(scope="module", autouse=True)
def _close_processes():
    yield
    meter_process.close()


def train(tmp_path, every: int, *epochs: int, group: int = 1, validate_at: int | None = None) -> joulemark.RunFile:
    """Train for so many steps in each epoch, `group` at once as Keras counts: a last group counts as a full one."""
    training = Training(joulemark.Meter("fit", item="step", sensor="simulated:rapl/constant", zone="CH"), every)
    training.begin()
    for steps in epochs:
        training.begin_epoch()
        for first in range(0, steps, group):
            training.begin_step(group)
            time.sleep(STEP_S * min(group, steps - first))
            if first == validate_at:
                training.end_step()
                time.sleep(20 * STEP_S)
        training.end_step()
        training.end_epoch(steps)
    training.end()
    assert [epoch.steps for epoch in training.epochs] == list(epochs)
    return joulemark.read(training.save(tmp_path / "fit.json"))


def test_an_incomplete_block_is_left_out(tmp_path):
    run_file = train(tmp_path, 10, 105)
    (trial,) = run_file.cases[0].trials
    assert (trial.steps_per_block, len(trial.block_s), trial.steps, trial.items) == (10, 10, 105, 105)
    (benchmark,) = json.loads(pytest_benchmark.render(run_file))["benchmarks"]
    assert benchmark["stats"]["min"] >= STEP_S


@pytest.mark.parametrize(
    ("every", "group", "validate_at", "size", "blocks"),
    [
        (1, 16, None, 16, 6),  # 105 steps are six groups and nine steps
        (10, 4, None, 20, 5),  # a mark lies where both a group and ten steps end
        (10, 1, 44, 10, 9),  # a validation after 45 steps, then five steps to the next ten
        (200, 1, None, 105, 1),
    ],
)
def test_blocks_are_the_largest_groups_that_were_marked(tmp_path, every, group, validate_at, size, blocks):
    (trial,) = train(tmp_path, every, 105, group=group, validate_at=validate_at).cases[0].trials
    assert (trial.steps_per_block, len(trial.block_s)) == (size, blocks)
    assert min(trial.block_s) >= size * STEP_S
    assert sum(trial.block_s) <= trial.window_s[1] - trial.window_s[0]


def test_a_short_epoch_has_blocks_of_its_own_size(tmp_path):
    trials = train(tmp_path, 10, 30, 5).cases[0].trials
    assert [(t.steps_per_block, len(t.block_s), t.steps) for t in trials] == [(10, 3, 30), (5, 1, 5)]


def test_unmarked_steps_are_one_block(tmp_path):
    (trial,) = train(tmp_path, 0, 12).cases[0].trials
    assert (trial.steps_per_block, len(trial.block_s), trial.items) == (1, 1, 12)


@pytest.mark.parametrize("steps", [-1, 1.5, True, "10", None])
def test_steps_that_are_no_count_are_one_line(steps):
    with pytest.raises(joulemark.JoulemarkError, match="steps is how many"):
        Training(joulemark.Meter(), steps)
