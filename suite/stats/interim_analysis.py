"""Interim analyses of an A/B run: extra rounds in doubtful cases, without more false alarms. Pure.

Whoever measures until a difference shows will find one: five analyses at 5 % each are wrong 14 % of the time (P.
Armitage, C. K. McPherson and B. C. Rowe, "Repeated significance tests on accumulating data", Journal of the Royal
Statistical Society A 132, 1969). The levels here spend `alpha` over all analyses together, with the error spending
function of Pocock's type by K. K. G. Lan and D. L. DeMets, "Discrete sequential boundaries for clinical trials",
Biometrika 70, 1983: nearly the same level at each analysis, since most cases should be settled at the first. The level
that the normal distribution gives an analysis is then used with Student's t (S. J. Pocock, "Group sequential methods in
the design and analysis of clinical trials", Biometrika 64, 1977). With few rounds this is slightly too liberal: of
three analyses of differences within rounds, 5.8 % are wrong at 2 rounds an analysis, 5.5 % at 3 and 5.3 % at 5, where
5 % are promised.

The intervals are repeated confidence intervals: they hold together, whichever analysis a pair stops at (C. Jennison and
B. W. Turnbull, "Interim analyses: the repeated confidence interval approach", Journal of the Royal Statistical Society
B 51, 1989).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import Final

from joulemark.suite.records import RunFile
from joulemark.suite.stats.comparison import Comparison, ComparisonResult

POINTS = 401
"""Points of the quadrature between two boundaries; 401 and 4001 agree in nine digits."""


@cache
def analysis_levels(analyses: int, alpha: float = 0.05) -> tuple[float, ...]:
    """Return the two-sided level of each of at most `analyses` analyses, made after equal numbers of rounds.

    Whichever analysis the measurement stops at, and for whatever reason, the chance of any false difference is at most
    `alpha` for normal values of known variance, and slightly more with Student's t: see above. The density of what is
    not yet rejected follows the recursion of Armitage, McPherson and Rowe (1969).

    Raises ValueError for fewer than one analysis, or an `alpha` outside 0 .. 1.
    """
    import numpy as np
    from scipy.special import ndtr

    if analyses < 1:
        raise ValueError(f"{analyses} analyses: there must be at least one")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}: it must lie between 0 and 1")
    levels: list[float] = []
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    sums = np.zeros(1)
    density = np.ones(1)  # of the sum of `analysis` standard normal steps inside all boundaries, times weights
    for analysis in range(1, analyses + 1):
        increment = spent_alpha(analysis / analyses, alpha) - spent_alpha((analysis - 1) / analyses, alpha)
        low, high = 0.0, 10.0 * math.sqrt(analysis)
        for _ in range(80):  # bisection: |sum| after one more step exceeds the boundary with probability `increment`
            boundary = (low + high) / 2
            beyond = float((ndtr(sums - boundary) + ndtr(-sums - boundary)) @ density)
            low, high = (boundary, high) if beyond > increment else (low, boundary)
        levels.append(2 * float(ndtr(-boundary / math.sqrt(analysis))))
        points = boundary * nodes
        steps = np.exp(-0.5 * (points[:, None] - sums[None, :]) ** 2) / math.sqrt(2 * math.pi)
        sums, density = points, boundary * weights * (steps @ density)
    return tuple(levels)


def spent_alpha(share: float, alpha: float) -> float:
    """Return how much of `alpha` is spent after `share` (0 .. 1) of all rounds: Lan and DeMets 1983, Pocock's type."""
    return alpha * math.log(1 + (math.e - 1) * share)


DECISIVE_METRICS: Final = ("throughput", "energy")
"""Metrics that more rounds make more precise; memory hardly varies, and only one first call in a run is cold."""


def first_rounds(run_file: RunFile, rounds: int) -> RunFile:
    """Return the run as it was after its first `rounds` rounds."""
    cases = tuple(
        case.model_copy(update={"trials": tuple(trial for trial in case.trials if trial.round <= rounds)})
        for case in run_file.cases
    )
    return run_file.model_copy(update={"cases": cases})


def undecided(result: ComparisonResult) -> frozenset[str]:
    """Return the ids of the cases of pairs that are inconclusive in a decisive metric."""
    return case_ids(
        comparison
        for comparison in result.comparisons
        if comparison.metric.key in DECISIVE_METRICS and comparison.verdict == "inconclusive"
    )


def case_ids(comparisons: Iterable[Comparison]) -> frozenset[str]:
    """Return the ids of the cases in both arms."""
    return frozenset(case.id for comparison in comparisons for case in (comparison.pair.a, comparison.pair.b))
