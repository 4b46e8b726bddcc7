"""Moderated variance and Holm's procedure against closed forms and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from scipy import stats as reference

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


@pytest.mark.parametrize("y", [1e-3, 0.1, 0.5, 1.0, 3.3, 40.0, 1e5])
def test_inverse_trigamma(y: float) -> None:
    assert inverse_trigamma(float(special.polygamma(1, y))) == pytest.approx(y, rel=1e-6)


@pytest.mark.parametrize(("degrees", "centre"), [(4.0, 0.01), (10.0, 0.0004), (30.0, 2.0)])
def test_prior_is_found_again(degrees: float, centre: float) -> None:
    # s_g^2 = centre x d0 / chi2_d0 x chi2_4 / 4, as the model has it
    random = np.random.default_rng(int(degrees))
    true = centre * degrees / random.chisquare(degrees, 20_000)
    found = fit_prior([Variance(value, 4.0) for value in (true * random.chisquare(4, 20_000) / 4).tolist()])
    assert found is not None
    assert found.value == pytest.approx(centre, rel=0.05)
    assert found.degrees == pytest.approx(degrees, rel=0.15)


def test_equal_variances_are_pooled() -> None:
    random = np.random.default_rng(0)
    found = fit_prior([Variance(value, 2.0) for value in (0.03 * random.chisquare(2, 50_000) / 2).tolist()])
    assert found is not None
    assert found.value == pytest.approx(0.03, rel=0.02)
    assert found.degrees > 100


def test_moderation_weighs_by_degrees() -> None:
    found = moderate(Variance(4.0, 2.0), Variance(1.0, 6.0))
    assert (found.value, found.degrees) == (1.75, 8.0)
    assert moderate(Variance(4.0, 2.0), None) == Variance(4.0, 2.0)
    assert moderate(Variance(4.0, 2.0), Variance(1.0, math.inf), 30.0) == Variance(1.0, 30.0)
    assert moderate(Variance(0.0, 0.0), Variance(1.0, 6.0)) == Variance(1.0, 6.0)


@pytest.mark.parametrize(
    "variances", [[], [Variance(1.0, 2.0)] * 2, [Variance(1.0, 0.0)] * 9, [Variance(0.0, 2.0)] * 9]
)
def test_too_little_to_tell(variances: list[Variance]) -> None:
    assert fit_prior(variances) is None


def test_a_variance_of_zero_is_no_certainty() -> None:
    found = fit_prior([Variance(0.0, 2.0), *[Variance(0.01 * k, 2.0) for k in range(1, 9)]])
    assert found is not None
    assert math.isfinite(found.value)
    assert moderate(Variance(0.0, 2.0), found, 18.0).value > 0


@pytest.mark.parametrize("degrees", [1, 2, 4, 20, 200])
def test_the_upper_bound_covers_the_true_variance(degrees: int) -> None:
    assert upper_bound(Variance(2.0, degrees)) == pytest.approx(2.0 * degrees / reference.chi2.ppf(0.05, degrees))
    drawn = np.random.default_rng(degrees).standard_normal((20_000, degrees + 1)).var(axis=1, ddof=1)
    covered = np.mean([upper_bound(Variance(value, degrees)) >= 1.0 for value in drawn])
    assert covered == pytest.approx(0.95, abs=0.006)  # four standard errors of 20,000


def test_a_known_variance_is_its_own_bound() -> None:
    assert upper_bound(Variance(2.0, math.inf)) == 2.0


def test_sums_have_satterthwaites_degrees() -> None:
    found = sum_of_variances([Variance(1.0, 4.0), Variance(3.0, 12.0)])
    assert (found.value, found.degrees) == (4.0, pytest.approx(16 / (1 / 4 + 9 / 12)))
    assert sum_of_variances([Variance(1.0, 4.0), Variance(0.0, math.inf)]).degrees == pytest.approx(4.0)
    assert sum_of_variances([Variance(1.0, math.inf)]).degrees == math.inf


@given(st.floats(-5, 5), st.floats(1e-3, 4), st.floats(1, 200))
def test_interval_and_p_are_scipys(estimate: float, variance: float, degrees: float) -> None:
    effect = Effect(estimate, Variance(variance, degrees))
    scale = math.sqrt(variance)
    assert effect.interval(0.05) == pytest.approx(
        reference.t.interval(0.95, degrees, loc=estimate, scale=scale), rel=1e-7, abs=1e-9
    )
    assert effect.p_value() == pytest.approx(2 * reference.t.sf(abs(estimate) / scale, degrees), rel=1e-7)


def test_known_variance_is_normal() -> None:
    low, high = Effect(0.0, Variance(1.0, math.inf)).interval(0.05)
    assert (low, high) == pytest.approx((-1.959964, 1.959964), abs=1e-6)


effects = st.lists(
    st.builds(Effect, st.floats(-4, 4), st.builds(Variance, st.floats(0.1, 2), st.floats(2, 50))),
    min_size=1,
    max_size=9,
)


@given(effects)
def test_an_interval_excludes_no_effect_exactly_where_holm_rejects(found: list[Effect]) -> None:
    ps = [effect.p_value() for effect in found]
    order = sorted(range(len(found)), key=ps.__getitem__)
    rejected = set()
    for rank, i in enumerate(order):
        if ps[i] > 0.05 / (len(found) - rank):
            break
        rejected.add(i)
    for i, (low, high) in enumerate(holm(found)):
        if abs(ps[i] - 0.05) > 1e-9:
            assert (low > 0 or high < 0) is (i in rejected)
        assert low <= found[i].estimate <= high


@given(effects)
def test_adjusted_intervals_are_no_narrower(found: list[Effect]) -> None:
    for effect, (low, high) in zip(found, holm(found), strict=True):
        plain = effect.interval(0.05)
        assert low <= plain[0] + 1e-12
        assert high >= plain[1] - 1e-12


def test_family_of_true_nulls_alarms_in_five_percent_of_families() -> None:
    random = np.random.default_rng(7)
    families, m, n = 2000, 12, 3
    alarms = 0
    for _ in range(families):
        sigma = np.sqrt(0.0004 * 8 / random.chisquare(8, m))
        a, b = (sigma[:, None] * random.standard_normal((m, n)) for _ in range(2))
        own = [Variance(v, 2.0 * (n - 1)) for v in ((a.var(1, ddof=1) + b.var(1, ddof=1)) / 2).tolist()]
        prior = fit_prior(own)
        kept = [moderate(one, prior, 2.0 * (n - 1) * m) for one in own]
        tested = [
            Effect(d, Variance(v.value * 2 / n, v.degrees))
            for d, v in zip((b.mean(1) - a.mean(1)).tolist(), kept, strict=True)
        ]
        alarms += any(low > 0 or high < 0 for low, high in holm(tested))
    assert 0.02 <= alarms / families <= 0.07
