"""The smallest effect that a machine can detect, from separate runs of the same cases on it. Pure.

All numbers are for one case judged alone. A comparison of many cases judges each at a stricter level, and gains some
certainty about its variance from the others.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from joulemark.suite.records import RunFile
from joulemark.suite.stats.drift import VarianceComponents, variance_components
from joulemark.suite.stats.gate import CONFIDENCE as GATE_CONFIDENCE
from joulemark.suite.stats.intervals import CONFIDENCE, t_quantile
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.variance import Variance, sum_of_variances

ROUNDS: Final = (3, 5, 10, 15, 20, 30)
POWER: Final = 0.8
"""Probability with which the smallest detectable effect is detected: the custom of trial design (J. Cohen, "Statistical
power analysis for the behavioral sciences", 2nd edition, 1988)."""
HELD_PROBABILITY: Final = 0.95
"""Probability that equal things hold under a proposed threshold: one build in 20 is in doubt."""


@dataclass(frozen=True)
class DetectableEffect:
    """What a comparison with so many rounds in each arm can detect; relative, 0.05 is 5 %."""

    rounds: int
    told_apart: float
    """The smallest difference whose interval excludes 0 in 4 of 5 comparisons."""
    threshold: float
    """The smallest threshold under which equal things hold in 19 of 20 comparisons."""
    fires_at: float
    """The slowdown that the gate calls certain in 4 of 5 comparisons: with that threshold, nearly all of them alarm."""


@dataclass(frozen=True)
class Calibration:
    """What runs of the same cases show about one metric on their machine."""

    metric: str
    runs: int
    components: VarianceComponents
    turn_by_turn: tuple[DetectableEffect, ...]
    """For two arms of one run, between which nothing drifts."""
    stored: tuple[DetectableEffect, ...]
    """For a run against a stored one."""


def calibrate(runs: Sequence[RunFile], metric: str) -> Calibration | None:
    """Return the calibration of `metric` from `runs`; None if they are too few, or lack the metric."""
    components = variance_components(runs, metric)
    if components is None:
        return None
    return Calibration(
        metric=metric,
        runs=round(components.runs.degrees) + 1,
        components=components,
        turn_by_turn=tuple(detectable_effect(components.trials, rounds) for rounds in ROUNDS),
        stored=tuple(detectable_effect(components.trials, rounds, components.runs) for rounds in ROUNDS),
    )


def detectable_effect(trials: Variance, rounds: int, drift: Variance | None = None) -> DetectableEffect:
    """Return what `rounds` rounds in each arm can detect. ValueError for fewer than two.

    `trials` and `drift` are the variances between trials and between runs, log scale. Without `drift` the arms are
    measured turn by turn: the variance is then known from the differences within rounds, with their degrees of freedom.
    """
    if rounds < 2:
        raise ValueError(f"{rounds} rounds: an interval needs two")
    error = Variance(trials.value * 2 / rounds, rounds - 1.0 if drift is None else 2.0 * (rounds - 1))
    if drift is not None:
        error = sum_of_variances([error, replace(drift, value=2 * drift.value)])
    scale = math.sqrt(error.value)

    def excluded(confidence: float, power: float) -> float:
        """Return the difference that an interval at `confidence` excludes with probability `power`."""
        return math.expm1(scale * _noncentrality(t_quantile((1 + confidence) / 2, error.degrees), error.degrees, power))

    return DetectableEffect(
        rounds=rounds,
        told_apart=excluded(CONFIDENCE, POWER),
        threshold=excluded(GATE_CONFIDENCE, HELD_PROBABILITY),
        fires_at=excluded(GATE_CONFIDENCE, POWER),
    )


def _noncentrality(t: float, degrees: float, power: float) -> float:
    """Return the noncentrality with which noncentral t exceeds `t` with probability `power`."""
    from scipy.special import nctdtrinc

    if math.isinf(degrees):
        return t + t_quantile(power, degrees)
    return float(nctdtrinc(degrees, 1 - power, t))


def smallest_alarm(threshold: float, half_width: float, error: Variance) -> float:
    """Return the smallest worsening that 4 of 5 comparisons call a regression, 0.1 for 10 %.

    `half_width` is that of the interval that is judged, and `error` the variance of the log ratio, both log scale.
    """
    excluded = max(half_width, math.log1p(threshold) - half_width)  # no change, and everything below the threshold
    return math.expm1(excluded + math.sqrt(error.value) * t_quantile(POWER, error.degrees))


def self_comparison(runs: Sequence[RunFile], metric: str, drift: Variance) -> dict[str, int]:
    """Count the verdicts of each run against the next: every difference among them is false."""
    from joulemark.suite.stats.compare import compare

    verdicts = {"same": 0, "inconclusive": 0, "differs": 0, "regressed": 0}
    for a, b in itertools.pairwise(runs):
        for comparison in compare(a, b, metrics=[METRICS[metric].key], drift=drift).comparisons:
            if comparison.low is not None:
                verdicts[comparison.verdict if comparison.verdict in verdicts else "differs"] += 1
                verdicts["regressed"] += comparison.regressed
    return verdicts
