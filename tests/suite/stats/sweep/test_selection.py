"""The selection sets of a sweep, against boards whose best settings are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from simulated_board import LIMITS_W, Board, Noise, sweep

from joulemark.suite.stats.sweep.selection import (
    ALPHA,
    beaten,
    excess_over_lowest,
    excess_over_lowest_within,
    is_larger,
    lowest,
    lowest_within,
    pareto_front,
    time_margin,
)

RUNS, ROUNDS, SLOWDOWN = 200, 10, 0.05
BOARDS = {
    "compute-bound": Board(memory=0.1),
    "mixed": Board(),
    "memory-bound": Board(memory=0.7, highest_w=560.0),
    "noisy": Board(memory=0.2),
}


def product(times, energies):
    return [{r: times[k][r] + energies[k][r] for r in times[k]} for k in range(len(times))]


def true_best(values, default):
    """Return the least joules at the slow-down, and the least energy-delay product, by trying all."""
    fast_enough = [k for k, (time_s, _) in enumerate(values) if values[default][0] / time_s >= 1 - SLOWDOWN]
    indices = range(len(values))
    return min(fast_enough, key=lambda k: values[k][1]), min(indices, key=lambda k: math.prod(values[k]))


def at_least(count):
    """Return the exact lower bound, at 95 %, of a share that `count` of all runs have (Clopper and Pearson 1934)."""
    return stats.binomtest(count, RUNS).proportion_ci(0.9).low


def excesses_are_bounded(values, best, best_product, times, energies, default):
    """Return whether the settings that look best are as near to the true best ones as is said of them."""
    products = product(times, energies)
    mean = [sum(logs.values()) / len(logs) for logs in products]
    i = mean.index(min(mean))
    excess = math.log(math.prod(values[i]) / math.prod(values[best_product]))
    limit = sum(times[default].values()) / len(times[default]) + time_margin(SLOWDOWN)
    allowed = [k for k, logs in enumerate(times) if k == default or sum(logs.values()) / len(logs) <= limit]
    j = min(allowed, key=lambda k: sum(energies[k].values()))
    excess_within = math.log(values[j][1] / values[best][1])
    return excess <= excess_over_lowest(products, i) and excess_within <= excess_over_lowest_within(
        energies, times, default, SLOWDOWN, j
    )


@pytest.mark.parametrize("name", BOARDS)
def test_sets_hold_the_true_best_settings_and_are_narrow(name):
    values, default, rng = BOARDS[name].true_values(), len(LIMITS_W) - 1, np.random.default_rng(23)
    noise = Noise(time=0.01, power=0.012) if name == "noisy" else Noise()
    best, best_product = true_best(values, default)
    front = set(pareto_front(values))
    held = held_product = held_front = bounded = 0
    widths = []
    for _ in range(RUNS):
        times, energies = sweep(values, ROUNDS, rng, noise)
        within = lowest_within(energies, times, default, SLOWDOWN)
        products = lowest(product(times, energies))
        held += best in within
        held_product += best_product in products
        held_front += front.isdisjoint(beaten(energies, times))
        widths.append(max(len(within), len(products)))
        bounded += excesses_are_bounded(values, best, best_product, times, energies, default)
    assert min(at_least(count) for count in (held, held_product, held_front, bounded)) >= 0.95
    if name != "noisy":
        assert max(widths) <= 3


def test_level_holds_where_all_settings_are_equal():
    """The hardest case: any setting may be called the best, and each is as often the lowest by chance."""
    rng, runs, settings = np.random.default_rng(5), 1000, 5
    missed = missed_within = 0
    for _ in range(runs):
        times, energies = sweep([(0.01, 4.0)] * settings, 5, rng)
        missed += 2 not in lowest(energies)
        # Exactly as slow as allowed: each is too slow by chance half of the time.
        slower = [{r: t + time_margin(SLOWDOWN) for r, t in logs.items()} for logs in times[:-1]]
        missed_within += 2 not in lowest_within(energies, [*slower, times[-1]], settings - 1, SLOWDOWN)
    most = stats.binom.ppf(0.999, runs, ALPHA)  # by chance more in one of 1,000 tries
    assert 0 < missed <= most
    assert 0 < missed_within <= most


def test_comparison_is_scipy_s_paired_t_test():
    rng = np.random.default_rng(1)
    decisions = set()
    for _ in range(50):
        a, b = rng.normal(0.3, 1, 8), rng.normal(0, 1, 8)
        p = stats.ttest_rel(a, b, alternative="greater").pvalue
        logs = dict(enumerate(a)), dict(enumerate(b))
        assert is_larger(*logs, alpha=0.2) == (p < 0.2)
        decisions.add(bool(p < 0.2))
    assert decisions == {True, False}


def test_a_single_round_tells_nothing_apart():
    assert lowest([{1: 0.0}, {1: 5.0}]) == {0, 1}
    assert lowest_within([{1: 0.0}, {1: 5.0}], [{1: 9.0}, {1: 0.0}], 1, 0.05) == {0, 1}
    assert lowest([{1: 0.0}]) == {0}
    assert excess_over_lowest([{1: 0.0}, {1: 5.0}], 0) == math.inf
    assert excess_over_lowest([{1: 0.0}], 0) == 0


def test_what_is_certainly_too_slow_is_left_out_however_frugal():
    rounds = range(1, 6)
    times = [{r: 0.2 + 1e-4 * r for r in rounds}, dict.fromkeys(rounds, 0.0)]
    energies = [{r: -3.0 + 1e-4 * r for r in rounds}, dict.fromkeys(rounds, 0.0)]
    assert lowest_within(energies, times, 1, 0.05) == {1}
    assert lowest_within(energies, times, 1, 0.3) == {0}


def test_front_is_what_nothing_is_below():
    points = [(1.0, 9.0), (2.0, 5.0), (2.5, 6.0), (3.0, 4.0), (3.0, 4.5), (4.0, 4.0)]
    assert pareto_front(points) == [0, 1, 3]
