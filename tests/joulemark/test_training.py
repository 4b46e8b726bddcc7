"""Marks of a training: what is a block of how many steps, and what the saved run file and its exports make of it."""

from __future__ import annotations

import json
import time

import pytest

import joulemark
from joulemark import meter_process as helpers
from joulemark.suite.results.export import pytest_benchmark
from joulemark.training import Training

STEP_S = 0.001
"""What a step sleeps at least."""


@pytest.fixture(scope="module", autouse=True)
def _ended():
    yield
    helpers.close()


def trained(tmp_path, every: int, *epochs: int, group: int = 1, test_at: int | None = None) -> joulemark.RunFile:
    """Trainings of so many steps an epoch, `group` at once, as Keras calls: a last group that is not full counts so."""
    training = Training(joulemark.Meter("fit", item="step", sensor="simulated:rapl/constant", zone="CH"), every)
    training.begin()
    for steps in epochs:
        training.epoch_begins()
        for begin in range(0, steps, group):
            training.step_begins(group)
            time.sleep(STEP_S * min(group, steps - begin))
            if begin == test_at:
                training.steps_end()
                time.sleep(20 * STEP_S)
        training.steps_end()
        training.epoch_ends(steps)
    training.end()
    assert [epoch.steps for epoch in training.epochs] == list(epochs)
    return joulemark.read(training.save(tmp_path / "fit.json"))


def test_a_block_that_is_not_full_is_none(tmp_path):
    found = trained(tmp_path, 10, 105)
    (trial,) = found.cases[0].trials
    assert (trial.steps_per_block, len(trial.block_s), trial.steps, trial.items) == (10, 10, 105, 105)
    (benchmark,) = json.loads(pytest_benchmark.render(found))["benchmarks"]
    assert benchmark["stats"]["min"] >= STEP_S


@pytest.mark.parametrize(
    ("every", "group", "test_at", "size", "blocks"),
    [
        (1, 16, None, 16, 6),  # 105 steps are six groups and nine steps
        (10, 4, None, 20, 5),  # a mark lies where both a group and a ten end
        (10, 1, 44, 10, 9),  # a test after 45 steps, then five steps to the next ten
        (200, 1, None, 105, 1),
    ],
)
def test_blocks_are_the_largest_that_were_marked(tmp_path, every, group, test_at, size, blocks):
    (trial,) = trained(tmp_path, every, 105, group=group, test_at=test_at).cases[0].trials
    assert (trial.steps_per_block, len(trial.block_s)) == (size, blocks)
    assert min(trial.block_s) >= size * STEP_S
    assert sum(trial.block_s) <= trial.window_s[1] - trial.window_s[0]


def test_a_short_epoch_has_blocks_of_its_own(tmp_path):
    trials = trained(tmp_path, 10, 30, 5).cases[0].trials
    assert [(t.steps_per_block, len(t.block_s), t.steps) for t in trials] == [(10, 3, 30), (5, 1, 5)]


def test_steps_that_are_not_marked_are_one_block_of_all(tmp_path):
    (trial,) = trained(tmp_path, 0, 12).cases[0].trials
    assert (trial.steps_per_block, len(trial.block_s), trial.items) == (1, 1, 12)
