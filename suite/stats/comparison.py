"""The results of a comparison: ratios with intervals, and verdicts that follow from them. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from joulemark.suite.stats.between_runs.reference import Divided
from joulemark.suite.stats.intervals import CONFIDENCE
from joulemark.suite.stats.metrics import Metric
from joulemark.suite.stats.pairs import Differences, Pair
from joulemark.suite.stats.variance import Variance
from joulemark.suite.stats.work_counts.comparison import CountComparison

Verdict = Literal["better", "worse", "same", "inconclusive", "not comparable"]


@dataclass(frozen=True)
class Comparison:
    """One metric of one pair of cases."""

    pair: Pair
    metric: Metric
    ratio: float | None
    """B over A, without what `reference` divides out; None if one has no value."""
    low: float | None
    """Lower end of the adjusted interval; None, with a reason, if there is no interval."""
    high: float | None
    n: tuple[int, int]
    """Trials of A and B."""
    threshold: float
    """Relative difference below which the two count as the same."""
    verdict: Verdict
    estimated: bool
    """Whether the energy comes from a model."""
    reason: str | None
    """Why there is no ratio or no interval, or what a reader must know about it."""
    error: Variance | None = None
    """Variance of the log ratio from its own trials, with drift, without sensor error; None with too few trials. This
    is what may be summed over pairs. It is not moderated: moderation keeps single intervals honest, but pulls the large
    variances, which dominate a sum, towards the small ones."""
    drift: Variance | None = None
    """Variance of one run about the mean of its machine; None within one run, and for metrics that do not drift."""
    values: tuple[float | None, float | None] = (None, None)
    """Geometric means of A and B over their trials, in the metric's unit; None if not measured."""
    runs: int = 1
    """Number of runs that A is the mean of."""
    reference: Divided | None = None
    """What the reference of both runs says of the machine; None where nothing is divided out."""
    log_ratio_by_round: Mapping[int, float] = field(default_factory=dict)
    """Log ratio in each round in which one run measured both."""

    @property
    def label(self) -> str:
        """The verdict in words: `faster`, `more energy`, `same`, ..."""
        better, worse = self.metric.labels
        return {"better": better, "worse": worse}.get(self.verdict, self.verdict)

    @property
    def regressed(self) -> bool:
        """Whether B is certainly worse, and possibly by more than the threshold."""
        return self.verdict == "worse"

    @property
    def held(self) -> bool:
        """Whether no part of the interval is worse than the threshold."""
        if self.low is None or self.high is None:
            return False
        limit = 1 + self.threshold
        return self.low >= 1 / limit if self.metric.better == "higher" else self.high <= limit


@dataclass(frozen=True)
class ComparisonResult:
    """All comparisons of two runs, or of one run with itself."""

    comparisons: tuple[Comparison, ...]
    only_a: tuple[str, ...]
    """Ids of cases that B lacks."""
    only_b: tuple[str, ...]
    environment: Differences
    drift: Mapping[str, Variance]
    """The variance of a run that was used, by metric; empty within one run."""
    confidence: float = CONFIDENCE
    """Of all intervals."""
    missing_reasons: Mapping[str, str] = field(default_factory=dict)
    """For each case that one run lacks, by id: the nearest case that it has instead."""
    reference_speed: float | None = None
    """How fast the machine was in B against A by its reference; None if it cannot be compared."""
    counts: tuple[CountComparison, ...] = ()
    """What a step does in B against A: work, which has no noise and no interval."""

    def counts_of(self, pair: Pair) -> Sequence[CountComparison]:
        """Return the counts of one pair."""
        return self._counts_by_ids.get((pair.a.id, pair.b.id), ())

    @cached_property
    def _counts_by_ids(self) -> Mapping[tuple[str, str], Sequence[CountComparison]]:
        by_ids: dict[tuple[str, str], list[CountComparison]] = defaultdict(list)
        for count in self.counts:
            by_ids[count.pair.a.id, count.pair.b.id].append(count)
        return by_ids


def verdict(low: float, high: float, threshold: float, metric: Metric) -> Verdict:
    """Return the verdict on a log-scale interval: `same` within the threshold, else `better` or `worse` without 0."""
    limit = math.log1p(threshold)
    if -limit <= low and high <= limit:
        return "same"
    if low > 0 or high < 0:
        return "better" if (low > 0) == (metric.better == "higher") else "worse"
    return "inconclusive"
