"""Statistics of a case: what trials say together. Pure.

The trial is the independent unit: samples within a process share its memory layout, hash seed and warm-up, so that
intervals from them are far too narrow (Kalibera and Jones, "Rigorous benchmarking in reasonable time", ISMM 2013).
Ratios and rates vary by factors, hence the log scale: geometric mean, and Student's t interval of the mean of logs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Mean:
    """A geometric mean with its interval."""

    value: float
    low: float | None
    """Lower end of the 95 % interval; None at n = 1."""
    high: float | None
    n: int
    variation: float | None
    """Coefficient of variation between trials; None at n = 1."""


def t_quantile(p: float, degrees: float) -> float:
    """The `p` quantile of Student's t distribution with `degrees` degrees of freedom; infinite ones: the normal."""
    from scipy.special import ndtri, stdtrit  # a tenth of the import time of scipy.stats

    return float(ndtri(p)) if math.isinf(degrees) else float(stdtrit(degrees, p))


def geometric_mean(values: Sequence[float], confidence: float = CONFIDENCE) -> Mean:
    """Geometric mean of positive `values` and its t interval on the log scale.

    ValueError where there is no value or one is not positive and finite.
    """
    logs = [math.log(value) for value in _positive(values)]
    n = len(logs)
    centre = math.fsum(logs) / n
    if n == 1:
        return Mean(values[0], None, None, 1, None)
    value = math.exp(centre)
    half = t_quantile((1 + confidence) / 2, n - 1) * deviation(logs) / math.sqrt(n)
    return Mean(
        value=value,
        # Rounding must not put the ends on the wrong side of the mean where all values are equal.
        low=min(value, math.exp(centre - half)),
        high=max(value, math.exp(centre + half)),
        n=n,
        variation=variation(values),
    )


def deviation(values: Sequence[float]) -> float:
    """Standard deviation of a sample (n - 1). ValueError for fewer than two values."""
    n = len(values)
    if n < 2:
        raise ValueError(f"{n} values have no standard deviation")
    mean = math.fsum(values) / n
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))


def variation(values: Sequence[float]) -> float | None:
    """Coefficient of variation of positive `values`: standard deviation over arithmetic mean; None at n = 1."""
    if len(_positive(values)) == 1:
        return None
    return deviation(values) / (math.fsum(values) / len(values))


def _positive(values: Sequence[float]) -> Sequence[float]:
    if not values:
        raise ValueError("there is no value")
    for value in values:
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{value} is not a positive number")
    return values
