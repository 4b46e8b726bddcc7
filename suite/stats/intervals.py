"""Geometric means over trials, with Student's t intervals. Pure.

The trial is the independent unit. Samples within one process share its memory layout, hash seed and warm-up, so an
interval computed from them is far too narrow (Kalibera and Jones, "Rigorous benchmarking in reasonable time", ISMM
2013). Ratios and rates vary by factors, hence the log scale: the geometric mean, and the t interval of the mean log.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Final

CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class GeometricMean:
    """A geometric mean with its interval."""

    value: float
    low: float | None
    """Lower end of the 95 % interval; None at n = 1."""
    high: float | None
    n: int


@cache
def t_quantile(p: float, degrees: float) -> float:
    """Return the `p` quantile of Student's t with `degrees` degrees of freedom; infinite degrees give the normal's."""
    from scipy.special import ndtri, stdtrit  # a tenth of the import time of scipy.stats

    return float(ndtri(p)) if math.isinf(degrees) else float(stdtrit(degrees, p))


def geometric_mean(values: Sequence[float]) -> GeometricMean:
    """Return the geometric mean of `values` with its t interval on the log scale. ValueError unless all are above 0."""
    logs = [math.log(value) for value in _positive(values)]
    n, centre = len(logs), fmean(logs)
    if n == 1:
        return GeometricMean(values[0], None, None, 1)
    mean = math.exp(centre)
    half = t_quantile((1 + CONFIDENCE) / 2, n - 1) * standard_deviation(logs) / math.sqrt(n)
    return GeometricMean(
        value=mean,
        # If all values are equal, rounding must not put an end on the wrong side of the mean.
        low=min(mean, math.exp(centre - half)),
        high=max(mean, math.exp(centre + half)),
        n=n,
    )


def standard_deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation (n - 1). Raises ValueError for fewer than two values."""
    n = len(values)
    if n < 2:
        raise ValueError(f"{n} values have no standard deviation")
    mean = fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))


def coefficient_of_variation(values: Sequence[float]) -> float | None:
    """Return the standard deviation of positive `values` over their arithmetic mean; None at n = 1."""
    return standard_deviation(values) / fmean(values) if len(_positive(values)) > 1 else None


def _positive(values: Sequence[float]) -> Sequence[float]:
    if not values:
        raise ValueError("there are no values")
    for value in values:
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{value} is not a positive number")
    return values
