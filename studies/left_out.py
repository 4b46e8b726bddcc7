"""How far estimates of machines that were left out may be off: ranges, coverage and score.

The unit is the machine: it is covered if its power at all its loads is within the range that the other machines give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from scipy import stats

OUTSIDE = 0.1
"""The share of machines that may lie outside of the range, half on either side."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Machine:
    """One machine that was left out."""

    name: str
    group: str
    """Machines whose estimates do not depend on each other are of different groups."""
    ratios: tuple[float, ...]
    """Measured over estimated power at each of its loads."""


def evaluate(machines: Sequence[Machine]) -> dict[str, Any]:
    """Return the range that all machines give, and how often that of the others covers the one left out."""
    low, high = range_of(machines)
    covered = sum(is_covered(machine, range_without(machine, machines)) for machine in machines)
    return {
        "machines": len(machines),
        "pairs": sum(len(machine.ratios) for machine in machines),
        "low": rounded(low),
        "high": rounded(high),
        "median": rounded(median(ratio for machine in machines for ratio in machine.ratios)),
        "covered": covered,
        "coverage_low": rounded(lower_bound(covered, len(machines))),
        "interval_score": rounded(score(machines)),
    }


def range_of(machines: Sequence[Machine]) -> tuple[float, float]:
    """Return the limits of true over estimated power that all loads of all but a tenth of machines are within.

    Those of split conformal prediction: the (n + 1)(1 - 0.05)-th of the machines' highest ratios and, from the other
    end, of their lowest; the extremes where n is too small.
    """
    lowest = sorted(min(machine.ratios) for machine in machines)
    highest = sorted(max(machine.ratios) for machine in machines)
    rank = max(0, math.floor((len(machines) + 1) * OUTSIDE / 2) - 1)
    return lowest[rank], highest[len(machines) - 1 - rank]


def range_without(machine: Machine, machines: Sequence[Machine]) -> tuple[float, float]:
    """Return the range that all others give."""
    return range_of([other for other in machines if other is not machine])


def lower_bound(covered: int, machines: int) -> float:
    """Return the exact lower limit of a proportion (Clopper & Pearson 1934), one-sided."""
    return float(stats.beta.ppf(1 - CONFIDENCE, covered, machines - covered + 1)) if covered else 0.0


def interval_score(low: float, high: float, ratio: float) -> float:
    """Return the interval score (Gneiting & Raftery 2007, eq. 43) of the logarithm of power: its width and, times
    2 / 0.1, how far outside the measured value is. A factor of e counts 1."""
    below, above = max(0.0, math.log(low / ratio)), max(0.0, math.log(ratio / high))
    return math.log(high / low) + 2 / OUTSIDE * (below + above)


def score(machines: Sequence[Machine]) -> float:
    """Return the mean interval score over all loads of all machines, each within the range that the others give."""
    scores = []
    for machine in machines:
        low, high = range_without(machine, machines)
        scores += [interval_score(low, high, ratio) for ratio in machine.ratios]
    return fmean(scores)


def is_covered(machine: Machine, limits: tuple[float, float]) -> bool:
    """Return whether a machine is within limits at all its loads."""
    return limits[0] <= min(machine.ratios) and max(machine.ratios) <= limits[1]


def rounded(value: float) -> float:
    """Return a number to three digits."""
    return float(f"{value:.3g}")
