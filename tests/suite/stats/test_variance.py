"""Moderated variances and Holm's procedure against closed forms and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from joulemark.suite.stats.interim_analysis import analysis_levels
from joulemark.suite.stats.variance import (
    Effect,
    Variance,
    fit_prior,
    holm,
    inverse_trigamma,
    moderate,
    sum_of_variances,
    upper_bound,
)


@pytest.mark.parametrize("y", [1e-6, 1e-3, 0.1, 0.5, 1.0, 3.3, 40.0, 1e5, 1e9])
def test_inverse_trigamma(y: float) -> None:
    assert inverse_trigamma(float(special.polygamma(1, y))) == pytest.approx(y, rel=1e-9)


def newton_inverse_trigamma(x: float) -> float:
    """Newton's method on 1/trigamma (Smyth 2004, appendix), as in limma's trigammaInverse."""
    y = 0.5 + 1 / x
    for _ in range(50):
        trigamma = float(special.polygamma(1, y))
        step = trigamma * (1 - trigamma / x) / float(special.polygamma(2, y))
        y += step
        if abs(step) <= 1e-12 * y:
            break
    return y


@pytest.mark.parametrize("x", np.geomspace(1e-6, 1e7, 27).tolist())
def test_inverse_trigamma_agrees_with_limma(x: float) -> None:
    assert inverse_trigamma(x) == pytest.approx(newton_inverse_trigamma(x), rel=1e-9)


@pytest.mark.parametrize(("degrees", "centre"), [(4.0, 0.01), (10.0, 0.0004), (30.0, 2.0)])
def test_prior_is_recovered(degrees: float, centre: float) -> None:
    # The model: s_g^2 = centre x d0 / chi2_d0 x chi2_4 / 4.
    random = np.random.default_rng(int(degrees))
    true = centre * degrees / random.chisquare(degrees, 20_000)
    prior = fit_prior([Variance(value, 4.0) for value in (true * random.chisquare(4, 20_000) / 4).tolist()])
    assert prior is not None
    assert prior.value == pytest.approx(centre, rel=0.05)
    assert prior.degrees == pytest.approx(degrees, rel=0.15)


def test_equal_variances_are_pooled() -> None:
    random = np.random.default_rng(0)
    prior = fit_prior([Variance(value, 2.0) for value in (0.03 * random.chisquare(2, 50_000) / 2).tolist()])
    assert prior is not None
    assert prior.value == pytest.approx(0.03, rel=0.02)
    assert prior.degrees > 100


@pytest.mark.parametrize(
    ("variance", "prior", "pooled_degrees", "expected"),
    [
        (Variance(4.0, 2.0), Variance(1.0, 6.0), math.inf, Variance(1.75, 8.0)),
        (Variance(4.0, 2.0), Variance(1.0, 6.0), 5.0, Variance(1.75, 5.0)),
        (Variance(4.0, 2.0), None, math.inf, Variance(4.0, 2.0)),
        (Variance(4.0, 2.0), Variance(1.0, math.inf), 30.0, Variance(1.0, 30.0)),
        (Variance(0.0, 0.0), Variance(1.0, 6.0), math.inf, Variance(1.0, 6.0)),
    ],
)
def test_moderation_weighs_by_degrees(
    variance: Variance, prior: Variance | None, pooled_degrees: float, expected: Variance
) -> None:
    assert moderate(variance, prior, pooled_degrees) == expected


@pytest.mark.parametrize(
    "variances", [[], [Variance(1.0, 2.0)] * 2, [Variance(1.0, 0.0)] * 9, [Variance(0.0, 2.0)] * 9]
)
def test_no_prior_from_too_few_variances(variances: list[Variance]) -> None:
    assert fit_prior(variances) is None


def test_variance_of_zero_is_moderated_to_more() -> None:
    prior = fit_prior([Variance(0.0, 2.0), *[Variance(0.01 * k, 2.0) for k in range(1, 9)]])
    assert prior is not None
    assert math.isfinite(prior.value)
    assert moderate(Variance(0.0, 2.0), prior, 18.0).value > 0


@pytest.mark.parametrize("degrees", [1, 2, 4, 20, 200])
def test_upper_bound_covers_the_true_variance(degrees: int) -> None:
    assert upper_bound(Variance(2.0, degrees)) == pytest.approx(2.0 * degrees / stats.chi2.ppf(0.05, degrees))
    values = np.random.default_rng(degrees).standard_normal((20_000, degrees + 1)).var(axis=1, ddof=1)
    covered = np.mean([upper_bound(Variance(value, degrees)) >= 1.0 for value in values])
    assert covered == pytest.approx(0.95, abs=0.006)  # four standard errors of 20,000


def test_known_variance_is_its_own_upper_bound() -> None:
    assert upper_bound(Variance(2.0, math.inf)) == 2.0


def test_sums_have_satterthwaites_degrees() -> None:
    total = sum_of_variances([Variance(1.0, 4.0), Variance(3.0, 12.0)])
    assert (total.value, total.degrees) == (4.0, pytest.approx(16 / (1 / 4 + 9 / 12)))
    assert sum_of_variances([Variance(1.0, 4.0), Variance(0.0, math.inf)]).degrees == pytest.approx(4.0)
    assert sum_of_variances([Variance(1.0, math.inf)]).degrees == math.inf


@given(st.floats(-5, 5), st.floats(1e-3, 4), st.floats(1, 200))
def test_interval_and_p_value_agree_with_scipy(estimate: float, variance: float, degrees: float) -> None:
    effect = Effect(estimate, Variance(variance, degrees))
    scale = math.sqrt(variance)
    expected = stats.t.interval(0.95, degrees, loc=estimate, scale=scale)
    assert effect.interval(0.05) == pytest.approx(expected, rel=1e-7, abs=1e-9)
    assert effect.p_value() == pytest.approx(2 * stats.t.sf(abs(estimate) / scale, degrees), rel=1e-7)


def test_interval_of_a_known_variance_is_normal() -> None:
    low, high = Effect(0.0, Variance(1.0, math.inf)).interval(0.05)
    assert (low, high) == pytest.approx((-1.959964, 1.959964), abs=1e-6)


effect_lists = st.lists(
    st.builds(Effect, st.floats(-4, 4), st.builds(Variance, st.floats(0.1, 2), st.floats(2, 50))),
    min_size=1,
    max_size=9,
)


@given(effect_lists)
def test_interval_excludes_0_exactly_if_holm_rejects(effects: list[Effect]) -> None:
    p_values = [effect.p_value() for effect in effects]
    order = sorted(range(len(effects)), key=p_values.__getitem__)
    rejected = set()
    for rank, i in enumerate(order):
        if p_values[i] > 0.05 / (len(effects) - rank):
            break
        rejected.add(i)
    for i, (low, high) in enumerate(holm(effects)):
        if abs(p_values[i] - 0.05) > 1e-9:
            assert (low > 0 or high < 0) is (i in rejected)
        assert low <= effects[i].estimate <= high


@given(effect_lists)
def test_adjusted_intervals_are_no_narrower(effects: list[Effect]) -> None:
    for effect, (low, high) in zip(effects, holm(effects), strict=True):
        single = effect.interval(0.05)
        assert low <= single[0] + 1e-12
        assert high >= single[1] - 1e-12


def test_holm_spreads_each_share_over_interim_analyses() -> None:
    effects = [Effect(estimate, Variance(1.0, math.inf)) for estimate in (3.0, 2.3, 0.1)]
    nominal = [lambda alpha, i=analysis: analysis_levels(2, alpha)[i] for analysis in (0, 1, 0)]
    intervals = holm(effects, nominal=nominal)
    # 3.0 has p = 0.0027, below a third of 5 % at its analysis; 2.3 has p = 0.021, not below a half at its own.
    levels = [analysis_levels(2, 0.05 / 3)[0], analysis_levels(2, 0.05 / 2)[1], analysis_levels(2, 0.05 / 2)[0]]
    for effect, interval, level in zip(effects, intervals, levels, strict=True):
        assert interval == pytest.approx(effect.interval(level))
    assert intervals[0][0] > 0 > intervals[1][0]


def test_families_without_effects_alarm_in_five_percent() -> None:
    random = np.random.default_rng(7)
    families, m, n = 2000, 12, 3
    alarms = 0
    for _ in range(families):
        sigma = np.sqrt(0.0004 * 8 / random.chisquare(8, m))
        a, b = (sigma[:, None] * random.standard_normal((m, n)) for _ in range(2))
        pooled = ((a.var(1, ddof=1) + b.var(1, ddof=1)) / 2).tolist()
        variances = [Variance(value, 2.0 * (n - 1)) for value in pooled]
        prior = fit_prior(variances)
        moderated = [moderate(variance, prior, 2.0 * (n - 1) * m) for variance in variances]
        effects = [
            Effect(difference, Variance(variance.value * 2 / n, variance.degrees))
            for difference, variance in zip((b.mean(1) - a.mean(1)).tolist(), moderated, strict=True)
        ]
        alarms += any(low > 0 or high < 0 for low, high in holm(effects))
    assert 0.02 <= alarms / families <= 0.07
