"""Steps in a history: what is found, where, and how often nothing is taken for one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from joulemark.suite.stats import change_points
from joulemark.suite.stats.change_points import MIN_SEGMENT, find_change_points


def noisy(generator: np.random.Generator, runs: int = 60, sd: float = 0.03) -> np.ndarray:
    return generator.normal(0.0, sd, runs)


def found(logs: np.ndarray) -> list[int]:
    return [step.index for step in find_change_points(np.exp(logs).tolist())]


def test_a_planted_step_is_found_where_it_is():
    """8 % with a deviation between runs of 3 %: the study in docs/history.md finds 1,999 of 2,000."""
    generator = np.random.default_rng(1)
    errors = []
    for _ in range(60):
        logs, at = noisy(generator), int(generator.integers(10, 51))
        logs[at:] += math.log(1.08)
        places = found(logs)
        errors.append(min((abs(place - at) for place in places), default=99))
    assert sum(error == 99 for error in errors) <= 1
    assert np.median(errors) <= 1
    assert sum(error <= 3 for error in errors) >= 57


@pytest.mark.parametrize("runs", [12, 60])
def test_flat_histories_raise_one_in_a_hundred_at_most(runs):
    """At most: the level aimed at is half of it. The study in docs/history.md has 2,000 for each kind of noise."""
    generator = np.random.default_rng(2)
    heavy = [0.03 * generator.standard_t(3, runs) for _ in range(200)]
    raised = sum(bool(found(logs)) for logs in [*heavy, *(noisy(generator, runs) for _ in range(200))])
    # More than this would have a probability below 1 % at the level aimed at, and is rare at 1 %.
    assert raised <= stats.binom.ppf(0.99, 400, change_points.LEVEL)


def test_a_step_that_was_undone_is_two():
    logs = noisy(np.random.default_rng(3), sd=0.02)
    logs[25:35] += 0.12
    assert found(logs) == [25, 35]


def test_three_levels_upwards_are_all_found():
    logs = noisy(np.random.default_rng(4), sd=0.01)
    logs[20:] += 0.1
    logs[40:] += 0.1
    assert found(logs) == [20, 40]


def test_a_new_level_is_found_after_three_runs():
    logs = noisy(np.random.default_rng(5), sd=0.02)
    logs[-MIN_SEGMENT:] += math.log(1.5)
    assert found(logs) == [60 - MIN_SEGMENT]


@pytest.mark.parametrize("place", [0, 30, 58, 59])
def test_a_single_run_far_off_is_no_step(place):
    """It raises no more than any flat history: of 100 at 0.5 %, 4 or more have a probability of 0.2 %."""
    generator = np.random.default_rng(5)
    raised = 0
    for _ in range(100):
        logs = noisy(generator)
        logs[place] += 1.0
        raised += bool(found(logs))
    assert raised < 4


def test_values_that_do_not_vary_have_no_step_and_those_that_do_once_have_one():
    assert find_change_points([7.0] * 40) == ()
    (step,) = find_change_points([7.0] * 20 + [14.0] * 20)
    assert (step.index, step.ratio, step.low, step.high) == (20, pytest.approx(2), pytest.approx(2), pytest.approx(2))


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 1.0], [1.0] * 5])
def test_too_few_values_have_none(values):
    assert find_change_points(values) == ()


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_what_has_no_logarithm_is_refused(wrong):
    with pytest.raises(ValueError, match="positive"):
        find_change_points([1.0, wrong] * 10)


def test_the_answer_does_not_depend_on_the_unit_and_turns_round_with_the_ratio():
    logs = noisy(np.random.default_rng(6))
    logs[30:] += 0.1
    (one,), (scaled,), (inverse,) = (find_change_points(np.exp(some).tolist()) for some in (logs, logs + 5, -logs))
    assert (scaled.index, scaled.p) == (one.index, one.p) == (inverse.index, inverse.p)
    assert scaled.ratio == pytest.approx(one.ratio)
    assert inverse.ratio == pytest.approx(1 / one.ratio)
    assert inverse.low == pytest.approx(1 / one.high)


def test_the_interval_is_welchs():
    logs = noisy(np.random.default_rng(7))
    logs[40:] += 0.12
    (step,) = find_change_points(np.exp(logs).tolist())
    after, before = logs[step.index :], logs[: step.index]
    interval = stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
    assert (step.low, step.high) == (pytest.approx(math.exp(interval.low)), pytest.approx(math.exp(interval.high)))
    assert step.ratio == pytest.approx(math.exp(after.mean() - before.mean()))


def test_the_statistic_is_the_two_sample_one_over_every_interval():
    """The fast sums against means taken one by one."""
    logs = noisy(np.random.default_rng(8), runs=40)
    best = (0, -1.0)
    for length, starts in change_points._layers(40):
        for start in starts:
            for cut in range(MIN_SEGMENT, length - MIN_SEGMENT + 1):
                before, after = logs[start : start + cut], logs[start + cut : start + length]
                size = abs(before.mean() - after.mean()) / math.sqrt(1 / len(before) + 1 / len(after))
                best = max(best, (int(start) + cut, float(size)), key=lambda one: one[1])
    at, largest = change_points._clearest(logs[:, None])
    assert at == best[0]
    assert largest == pytest.approx(best[1])


def test_p_is_the_share_of_all_orders():
    """8 values of which the last 3 are high: every order of them is looked at, 40,320 in all."""
    from itertools import permutations

    logs = np.array([0.0, 0.01, 0.02, 0.03, 0.04, 1.0, 1.1, 1.2])
    orders = np.array(list(permutations(logs))).T
    statistics = np.max([part.max(axis=(0, 1)) for _, _, part in change_points._cusums(orders)], axis=0)
    exact = float(np.mean(statistics >= change_points._clearest(logs[:, None])[1] * (1 - 1e-9)))
    # The three highest, or by symmetry the pattern's mirror image, at one end: 2 x 3! x 5! of 8! orders.
    assert exact == pytest.approx(2 * 6 * 120 / 40320)
    drawn = change_points._p(logs, change_points._clearest(logs[:, None])[1], level=1.0, reach=math.inf)
    assert abs(drawn - exact) < 4 * math.sqrt(exact * (1 - exact) / change_points.PERMUTATIONS)


@given(st.integers(6, 3000))
def test_each_layer_covers_all_runs_with_intervals_that_overlap(count):
    """Kovács et al. 2023, definition 1: every place lies within an interval of each layer, not at its border."""
    lengths = []
    for length, starts in change_points._layers(count):
        lengths.append(length)
        assert starts[0] == 0
        assert starts[-1] + length == count
        assert all(np.diff(starts) <= math.ceil(length / 2) + 1)
    assert lengths == sorted(set(lengths), reverse=True)
    assert lengths[0] == count
    assert lengths[-1] >= 2 * MIN_SEGMENT


def test_only_the_latest_runs_of_a_very_long_history_are_searched():
    logs = noisy(np.random.default_rng(9), runs=2300, sd=0.01)
    logs[100:] += 0.2
    logs[2000:] += 0.2
    assert found(logs) == [2000]
