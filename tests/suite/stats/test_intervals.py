"""Geometric means and their intervals against scipy, closed forms, and a simulation of coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from joulemark.suite.stats.intervals import coefficient_of_variation, geometric_mean, standard_deviation, t_quantile

positive = st.floats(min_value=1e-9, max_value=1e12)


def test_one_value_has_no_interval() -> None:
    mean = geometric_mean([3.7])
    assert (mean.value, mean.low, mean.high, mean.n) == (3.7, None, None, 1)


def test_two_values_by_hand() -> None:
    # Logs 0 and 2 have mean 1 and standard deviation sqrt(2); t at 0.975 with one degree of freedom is tan(0.475 pi).
    mean = geometric_mean([1.0, math.exp(2.0)])
    half = math.tan(0.475 * math.pi)
    assert mean.value == pytest.approx(math.e, rel=1e-12)
    assert mean.low == pytest.approx(math.exp(1 - half), rel=1e-9)
    assert mean.high == pytest.approx(math.exp(1 + half), rel=1e-9)


@given(st.lists(positive, min_size=2, max_size=12))
def test_agrees_with_scipy(values: list[float]) -> None:
    mean = geometric_mean(values)
    logs = np.log(values)
    scale = stats.sem(logs)
    assert mean.value == pytest.approx(stats.gmean(values), rel=1e-9)
    assert mean.low is not None
    assert mean.high is not None
    assert mean.low <= mean.value <= mean.high
    if scale > 1e-9:
        low, high = stats.t.interval(0.95, len(values) - 1, loc=logs.mean(), scale=scale)
        assert math.log(mean.low) == pytest.approx(low, rel=1e-6, abs=1e-6)
        assert math.log(mean.high) == pytest.approx(high, rel=1e-6, abs=1e-6)


@given(st.lists(positive, min_size=2, max_size=12), st.floats(min_value=1e-3, max_value=1e3))
def test_another_unit_scales_value_and_interval(values: list[float], factor: float) -> None:
    mean, scaled = geometric_mean(values), geometric_mean([value * factor for value in values])
    for name in ("value", "low", "high"):
        assert getattr(scaled, name) == pytest.approx(getattr(mean, name) * factor, rel=1e-6)


@given(st.lists(positive, min_size=2, max_size=12))
def test_rate_and_time_are_reciprocal(values: list[float]) -> None:
    rate, time = geometric_mean(values), geometric_mean([1 / value for value in values])
    assert time.value == pytest.approx(1 / rate.value, rel=1e-9)
    assert rate.high is not None
    assert time.low == pytest.approx(1 / rate.high, rel=1e-6)


def test_equal_values_have_an_interval_of_no_width() -> None:
    mean = geometric_mean([0.1 + 0.2] * 7)
    assert mean.low is not None
    assert mean.high is not None
    assert mean.low <= mean.value <= mean.high
    assert mean.high - mean.low < 1e-12


@pytest.mark.parametrize("n", [3, 5, 10])
def test_coverage_of_the_interval(n: int) -> None:
    runs, truth, sigma = 10_000, 250.0, 0.2
    values = truth * np.exp(sigma * np.random.default_rng(n).standard_normal((runs, n)))
    means = [geometric_mean(row) for row in values.tolist()]
    covered = sum(mean.low <= truth <= mean.high for mean in means if mean.low is not None and mean.high is not None)
    assert 0.93 <= covered / runs <= 0.97


@pytest.mark.parametrize(("p", "degrees"), [(0.975, 1), (0.975, 4), (0.995, 9), (0.6, 2.5)])
def test_quantile_agrees_with_scipy(p: float, degrees: float) -> None:
    assert t_quantile(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), rel=1e-10)


def test_variation_is_deviation_over_mean() -> None:
    assert coefficient_of_variation([9.0, 10.0, 11.0]) == pytest.approx(0.1)
    assert standard_deviation([9.0, 10.0, 11.0]) == pytest.approx(1.0)
    assert coefficient_of_variation([5.0]) is None


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [-1.0], [math.nan], [math.inf, 1.0]])
def test_values_without_logarithm_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"no values|positive"):
        geometric_mean(values)
