"""Levels of interim analyses against published tables, another way to integrate, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from joulemark.suite.stats.interim_analysis import analysis_levels, spent_alpha


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_a_single_analysis_has_all_of_alpha(alpha: float) -> None:
    assert analysis_levels(1, alpha) == pytest.approx((alpha,))


def test_published_boundaries_of_five_analyses() -> None:
    # Reboussin, DeMets, Kim and Lan, Controlled Clinical Trials 21, 2000: Pocock's type, two-sided 0.05, equal spacing.
    boundaries = [stats.norm.isf(level / 2) for level in analysis_levels(5)]
    assert boundaries == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=6e-4)


@pytest.mark.parametrize(("analyses", "alpha"), [(2, 0.05), (3, 0.05), (3, 0.01)])
def test_each_analysis_spends_its_share(analyses: int, alpha: float) -> None:
    # The sums of normal steps as one multivariate normal vector: independent of the recursion.
    boundaries = [stats.norm.isf(level / 2) for level in analysis_levels(analyses, alpha)]
    for analysis in range(1, analyses + 1):
        times = np.arange(1, analysis + 1)
        covariance = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
        limits = np.array(boundaries[:analysis])
        normal = stats.multivariate_normal(cov=covariance, abseps=1e-8, releps=1e-8, maxpts=10**6, seed=1)
        inside = normal.cdf(limits, lower_limit=-limits)
        assert 1 - inside == pytest.approx(spent_alpha(analysis / analyses, alpha), abs=2e-6)
    assert spent_alpha(1.0, alpha) == pytest.approx(alpha)


def test_levels_hold_with_students_t() -> None:
    # Two samples of 5, 10, 15 trials: a difference at any of three analyses; 40,000 pairs without one.
    random = np.random.default_rng(1)
    a, b = random.standard_normal((2, 40_000, 15))
    rejected = np.zeros(40_000, bool)
    naive = np.zeros(40_000, bool)
    for trials, level in zip((5, 10, 15), analysis_levels(3), strict=True):
        p = stats.ttest_ind(a[:, :trials], b[:, :trials], axis=1).pvalue
        rejected |= p < level
        naive |= p < 0.05
    assert rejected.mean() == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 40_000))
    assert naive.mean() > 0.1, "the excess that the levels prevent"


@pytest.mark.parametrize(("rounds", "expected"), [(2, 0.058), (3, 0.055), (5, 0.053)])
def test_few_rounds_an_analysis_are_slightly_too_liberal(rounds: int, expected: float) -> None:
    differences = np.random.default_rng(rounds).standard_normal((100_000, 3 * rounds))
    rejected = np.zeros(100_000, bool)
    for analysis, level in enumerate(analysis_levels(3), 1):
        rejected |= stats.ttest_1samp(differences[:, : analysis * rounds], 0.0, axis=1).pvalue < level
    assert rejected.mean() == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 100_000))


@pytest.mark.parametrize(("analyses", "alpha"), [(0, 0.05), (-1, 0.05), (3, 0.0), (3, 1.0)])
def test_impossible_arguments_are_refused(analyses: int, alpha: float) -> None:
    with pytest.raises(ValueError, match=r"analyses|alpha"):
        analysis_levels(analyses, alpha)
