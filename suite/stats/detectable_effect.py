"""What a machine can tell apart, from separate runs of the same cases on it. Pure.

All figures are for one case judged alone; a comparison of many cases holds each to a stricter level, and borrows some
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
from joulemark.suite.stats.intervals import CONFIDENCE, t_quantile
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.variance import Variance, sum_of_variances

ROUNDS: Final = (3, 5, 10, 15, 20, 30)

POWER: Final = 0.8
"""The chance of seeing the smallest effect that counts as one that can be told apart: the custom of trial design (J.
Cohen, "Statistical power analysis for the behavioral sciences", 2nd edition, 1988)."""

QUIET: Final = 0.95
"""The chance that two equal things come out as the same under a proposed threshold: every twentieth build in doubt."""


@dataclass(frozen=True)
class DetectableEffect:
    """What a comparison with so many rounds on either side can do; all relative, 0.05 is 5 %."""

    rounds: int
    told_apart: float
    """The smallest difference whose interval excludes none, in 4 of 5 comparisons."""
    threshold: float
    """The smallest threshold under which equal things are the same, in 19 of 20 comparisons."""
    fires_at: float
    """The slowdown at which a gate with that threshold fires, in 4 of 5 comparisons."""


@dataclass(frozen=True)
class Calibration:
    """What runs of the same cases say of a metric on their machine."""

    metric: str
    runs: int
    components: VarianceComponents
    turn_by_turn: tuple[DetectableEffect, ...]
    """Two arms of one run: no drift between them."""
    stored: tuple[DetectableEffect, ...]
    """A run against one that was kept."""


def calibrate(runs: Sequence[RunFile], metric: str) -> Calibration | None:
    """What `runs` say of `metric`; None where they are too few, or do not have it."""
    found = variance_components(runs, metric)
    if found is None:
        return None
    drift = found.runs
    return Calibration(
        metric=metric,
        runs=round(drift.degrees) + 1,
        components=found,
        turn_by_turn=tuple(detectable_effect(found.trials, rounds) for rounds in ROUNDS),
        stored=tuple(detectable_effect(found.trials, rounds, drift) for rounds in ROUNDS),
    )


def detectable_effect(trials: Variance, rounds: int, drift: Variance | None = None) -> DetectableEffect:
    """What `rounds` rounds a side can do where trials vary by `trials` and runs by `drift`, log scale.

    Without `drift` the sides take turns, and what is known is known from their differences: degrees are those of the
    rounds. ValueError for fewer than two rounds.
    """
    if rounds < 2:
        raise ValueError(f"{rounds} rounds: an interval needs two")
    own = Variance(trials.value * 2 / rounds, rounds - 1.0 if drift is None else 2.0 * (rounds - 1))
    error = own if drift is None else sum_of_variances([own, replace(drift, value=2 * drift.value)])
    scale = math.sqrt(error.value)
    half = scale * t_quantile((1 + CONFIDENCE) / 2, error.degrees)
    seen, equal = (scale * t_quantile(p, error.degrees) for p in (POWER, (1 + QUIET) / 2))
    threshold = half + equal
    return DetectableEffect(
        rounds=rounds,
        told_apart=math.expm1(half + seen),
        threshold=math.expm1(threshold),
        fires_at=math.expm1(threshold + half + seen),
    )


def self_comparison(runs: Sequence[RunFile], metric: str, drift: Variance) -> dict[str, int]:
    """Verdicts of each run against the next: what they call a difference is none."""
    from joulemark.suite.stats.compare import compare

    verdicts: dict[str, int] = {"same": 0, "inconclusive": 0, "differs": 0, "regressed": 0}
    for a, b in itertools.pairwise(runs):
        for found in compare(a, b, metrics=[METRICS[metric].key], drift=drift).comparisons:
            if found.low is None:
                continue
            verdicts[found.verdict if found.verdict in verdicts else "differs"] += 1
            verdicts["regressed"] += found.regressed
    return verdicts
