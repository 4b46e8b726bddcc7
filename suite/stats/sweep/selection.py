"""Sets of settings that hold the true best one with a stated probability. Pure.

The lowest of several means is a biased choice among settings that hardly differ. A subset that holds the best one in
95 % of sweeps is not: S. S. Gupta, "On some multiple decision (selection and ranking) rules", Technometrics 7, 1965; in
the terms of J. C. Hsu, "Multiple Comparisons: Theory and Methods", 1996, chapter 4, multiple comparisons with the best.
A setting is left out where another one is lower beyond chance, and a bound says how far the chosen one is from the best
at most, which matters where many cannot be told apart. The best one is left out only by an error in one of its
own comparisons, so the levels of these, and of no others, add up to `alpha` (Bonferroni).

Settings take turns in rounds, so each pair is compared by its differences within rounds, with their own variance: power
varies more at some settings than at others, and the machine's drift falls on both of a pair.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from joulemark.suite.stats.intervals import CONFIDENCE, standard_deviation, t_quantile

ALPHA: Final = 1 - CONFIDENCE

Logs = Mapping[int, float]
"""The logarithm of a setting's value in each round."""


def is_larger(a: Logs, b: Logs, alpha: float, margin: float = 0.0) -> bool:
    """Return whether the mean of `a` exceeds that of `b` by more than `margin`, at the one-sided level `alpha`.

    Student's t test of the differences in the rounds that both have. With fewer than two it is never certain.
    """
    mean, half = _difference(a, b, alpha)
    return mean - margin > half


def _difference(a: Logs, b: Logs, alpha: float) -> tuple[float, float]:
    """Return the mean of `a` - `b` in the rounds that both have, and how far off it is at the one-sided level `alpha`;
    infinitely far with fewer than two."""
    differences = [a[number] - b[number] for number in sorted(a.keys() & b.keys())]
    if len(differences) < 2:
        return 0.0, math.inf
    mean = math.fsum(differences) / len(differences)
    error = standard_deviation(differences) / math.sqrt(len(differences))
    return mean, error * t_quantile(1 - alpha, len(differences) - 1)


def lowest(costs: Sequence[Logs], alpha: float = ALPHA) -> frozenset[int]:
    """Return the indices of a set that holds the setting of lowest mean cost with probability 1 - `alpha` or more."""
    level = alpha / max(1, len(costs) - 1)
    indices = range(len(costs))
    return frozenset(i for i in indices if not any(is_larger(costs[i], costs[j], level) for j in indices if j != i))


def lowest_within(
    costs: Sequence[Logs], times: Sequence[Logs], default: int, slowdown: float, alpha: float = ALPHA
) -> frozenset[int]:
    """Return the indices of a set that holds, with probability 1 - `alpha` or more, the setting of lowest mean cost
    among those that are slower than the default by the share `slowdown` at most.

    Left out is what is certainly too slow, and what is certainly costlier than a setting that is certainly not too
    slow. Of the best setting that is one comparison of its time, and one with each other setting: where that other is
    too slow, the error lies in its time, otherwise in the cost. The default cannot be too slow.
    """
    margin, level = time_margin(slowdown), alpha / len(costs)
    indices = range(len(costs))
    certain = [j for j in indices if j == default or is_larger(times[default], times[j], level, -margin)]
    return frozenset(
        i
        for i in indices
        if (i == default or not is_larger(times[i], times[default], level, margin))
        and not any(is_larger(costs[i], costs[j], level) for j in certain if j != i)
    )


def excess_over_lowest(costs: Sequence[Logs], i: int, alpha: float = ALPHA) -> float:
    """Return by how much the mean cost of setting `i` exceeds the lowest one at most, with probability 1 - `alpha` or
    more, whichever setting is asked for; infinity where nothing can be told.

    The upper end of Hsu's intervals (1996, section 4.1): the true best one is one of the others, and each comparison
    with it holds at its share of `alpha`.
    """
    level = alpha / max(1, len(costs) - 1)
    ends = [sum(_difference(costs[i], costs[j], level)) for j in range(len(costs)) if j != i]
    return max([0.0, *ends])


def excess_over_lowest_within(
    costs: Sequence[Logs], times: Sequence[Logs], default: int, slowdown: float, i: int, alpha: float = ALPHA
) -> float:
    """Return the same over the lowest cost among settings that are slower than the default by `slowdown` at most.

    One comparison more: the best one must not be taken for too slow.
    """
    margin, level = time_margin(slowdown), alpha / len(costs)
    others = [j for j in range(len(costs)) if j != i]
    allowed = [j for j in others if j == default or not is_larger(times[j], times[default], level, margin)]
    return max([0.0, *(sum(_difference(costs[i], costs[j], level)) for j in allowed)])


def time_margin(slowdown: float) -> float:
    """Return by how much the log of the time of an item grows where speed falls by the share `slowdown`."""
    return -math.log1p(-slowdown)


def beaten(costs: Sequence[Logs], times: Sequence[Logs], alpha: float = ALPHA) -> frozenset[int]:
    """Return the indices of settings that another one beats in time and in cost, both beyond chance.

    With probability 1 - `alpha` or more, none of them is on the true Pareto front.
    """
    indices = range(len(costs))
    level = alpha / max(1, len(costs) * (len(costs) - 1))
    return frozenset(
        i
        for i in indices
        if any(is_larger(costs[i], costs[j], level) and is_larger(times[i], times[j], level) for j in indices if j != i)
    )


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the points (time, cost) that no other is below in both, by rising time."""
    lowest_cost, front = math.inf, []
    for i in sorted(range(len(points)), key=lambda i: points[i]):
        if points[i][1] < lowest_cost:
            lowest_cost = points[i][1]
            front.append(i)
    return front
