"""Exact intervals of shares, against scipy's own and the published rule of three."""

from __future__ import annotations

import pytest
from scipy import stats

from joulemark.suite.stats.proportion import Proportion


@pytest.mark.parametrize(("count", "of"), [(0, 10), (1, 10), (7, 19), (10, 10)])
def test_interval_is_the_exact_one(count: int, of: int) -> None:
    expected = stats.binomtest(count, of).proportion_ci(0.95, "exact")
    assert Proportion(count, of).interval() == pytest.approx((expected.low, expected.high))


def test_nothing_says_nothing() -> None:
    assert (Proportion(0, 0).value, Proportion(0, 0).interval()) == (None, (0.0, 1.0))
