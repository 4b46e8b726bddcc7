"""Levels of repeated looks against published tables, another way to integrate, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as reference

from joulemark.suite.stats.sequential import analysis_levels, spent_alpha


def test_one_look_has_it_all() -> None:
    assert analysis_levels(1) == pytest.approx((0.05,))
    assert analysis_levels(1, 0.01) == pytest.approx((0.01,))


def test_published_boundaries_of_five_looks() -> None:
    # Reboussin, DeMets, Kim and Lan, Controlled Clinical Trials 21, 2000: Pocock's type, two-sided 0.05, equal spacing.
    found = [reference.norm.isf(level / 2) for level in analysis_levels(5)]
    assert found == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=6e-4)


@pytest.mark.parametrize(("looks", "alpha"), [(2, 0.05), (3, 0.05), (3, 0.01)])
def test_each_look_spends_its_share(looks: int, alpha: float) -> None:
    # The sums of normal steps as one multivariate normal vector: nothing of the recursion enters.
    borders = [reference.norm.isf(level / 2) for level in analysis_levels(looks, alpha)]
    for look in range(1, looks + 1):
        times = np.arange(1, look + 1)
        covariance = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
        inside = np.array(borders[:look])
        normal = reference.multivariate_normal(cov=covariance, abseps=1e-8, releps=1e-8, maxpts=10**6, seed=1)
        stays = normal.cdf(inside, lower_limit=-inside)
        assert 1 - stays == pytest.approx(spent_alpha(look / looks, alpha), abs=2e-6)
    assert spent_alpha(1.0, alpha) == pytest.approx(alpha)


def test_students_t_at_these_levels_keeps_the_promise() -> None:
    # Two samples of 5, 10, 15 trials: a difference at any of three looks; 40,000 pairs without one.
    random = np.random.default_rng(1)
    a, b = random.standard_normal((2, 40_000, 15))
    found = np.zeros(40_000, bool)
    naive = np.zeros(40_000, bool)
    for look, level in zip((5, 10, 15), analysis_levels(3), strict=True):
        p = reference.ttest_ind(a[:, :look], b[:, :look], axis=1).pvalue
        found |= p < level
        naive |= p < 0.05
    assert found.mean() == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 40_000))
    assert naive.mean() > 0.1, "what the levels are for"


@pytest.mark.parametrize(("rounds", "wrong"), [(2, 0.058), (3, 0.055), (5, 0.053)])
def test_few_rounds_a_look_are_a_little_too_bold_as_is_said(rounds: int, wrong: float) -> None:
    differences = np.random.default_rng(rounds).standard_normal((100_000, 3 * rounds))
    found = np.zeros(100_000, bool)
    for look, level in enumerate(analysis_levels(3), 1):
        found |= reference.ttest_1samp(differences[:, : look * rounds], 0.0, axis=1).pvalue < level
    assert found.mean() == pytest.approx(wrong, abs=4 * math.sqrt(wrong * (1 - wrong) / 100_000))


@pytest.mark.parametrize(("looks", "alpha"), [(0, 0.05), (-1, 0.05), (3, 0.0), (3, 1.0)])
def test_nonsense_is_refused(looks: int, alpha: float) -> None:
    with pytest.raises(ValueError, match=r"looks|alpha"):
        analysis_levels(looks, alpha)
