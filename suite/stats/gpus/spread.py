"""How much GPUs differ, apart from how much the trials of each vary. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from joulemark.suite.stats.intervals import CONFIDENCE, standard_deviation


@dataclass(frozen=True)
class Spread:
    """Standard deviation between GPUs on the log scale: 0.01 is 1 %."""

    value: float
    low: float | None
    """Lower end of the 95 % interval; None with one round, which cannot tell GPUs from trials."""
    high: float | None
    trial_deviation: float | None
    """Standard deviation of a trial, once differences between rounds are taken out; None with one round."""


def spread(table: Sequence[Sequence[float]]) -> Spread:
    """Return how much GPUs differ; `table` has a row of log rates for each GPU (two or more), one for each round.

    Analysis of variance with GPUs and rounds; the interval is that of Tukey (1951) and Williams (1962), whose
    confidence is at least the nominal one (S. R. Searle, G. Casella and C. E. McCulloch, "Variance Components", 1992,
    section 3.5d).
    """
    from scipy.special import chdtri, fdtri

    gpus, rounds = len(table), len(table[0])
    means = [fmean(row) for row in table]
    if rounds == 1:
        return Spread(standard_deviation(means), None, None, None)
    of_round = [fmean(column) for column in zip(*table, strict=True)]
    centre = fmean(means)
    between, degrees = gpus - 1, (gpus - 1) * (rounds - 1)
    residuals = (
        row[number] - mean - of_round[number] + centre
        for row, mean in zip(table, means, strict=True)
        for number in range(rounds)
    )
    within = math.fsum(residual**2 for residual in residuals) / degrees
    mean_square = rounds * math.fsum((mean - centre) ** 2 for mean in means) / between
    tail = (1 - CONFIDENCE) / 2

    def end(p: float) -> float:
        """Return the bound of the standard deviation from the quantiles at `p` of F and of chi-square."""
        excess = mean_square - within * float(fdtri(between, degrees, p))
        return math.sqrt(max(0.0, excess * between / (rounds * float(chdtri(between, 1 - p)))))

    value = math.sqrt(max(0.0, mean_square - within) / rounds)
    return Spread(value, min(value, end(1 - tail)), max(value, end(tail)), math.sqrt(within))
