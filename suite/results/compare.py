"""Ratios between cases with intervals, and verdicts that cannot contradict them. Pure.

A ratio is B over A of geometric means over trials. Variances are moderated across cases (Smyth 2004) and levels are
Holm's over all that is judged, so that many cases do not cry wolf by their number. Between two runs there is drift,
which no trial of either run can show: it enters as a variance of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from suite.results.metrics import METRICS, Metric
from suite.results.pairs import Pair, between_arms, environment, pairs
from suite.results.records import RunFile
from suite.results.samples import Sample, gain, sample
from suite.results.sequential import levels
from suite.results.variance import Effect, Nominal, Variance, common, holm, moderated, total

Verdict = Literal["better", "worse", "same", "inconclusive", "not comparable"]

THRESHOLD: Final = 0.05
"""Ratios within 1/1.05 .. 1.05 are the same for practical purposes, unless another threshold is given."""

BETWEEN_RUNS: Final = Variance(0.05**2, math.inf)
"""Drift of a run about the mean of its machine, on the log scale: 5 %, assumed until the machine's own is known from at
least 5 separate runs. It hides small changes between stored runs and shows large ones."""


@dataclass(frozen=True)
class Comparison:
    """One metric of one pair of cases."""

    pair: Pair
    metric: Metric
    ratio: float | None
    """B over A; None where one has no value."""
    low: float | None
    """Ends of the adjusted 95 % interval; None where there is none, with the reason."""
    high: float | None
    n: tuple[int, int]
    threshold: float
    verdict: Verdict
    estimated: bool
    """Whether its energy is a model's."""
    reason: str | None
    """Why it is not comparable or has no interval, or what to know of it."""
    error: Variance | None = None
    """Variance of the ratio's logarithm, drift included, before levels are adjusted and without what sensors may be
    off by; None where there is no interval."""

    @property
    def words(self) -> str:
        """The verdict for people: `faster`, `more energy`, `same`, ..."""
        if self.verdict == "better":
            return self.metric.words[0]
        return self.metric.words[1] if self.verdict == "worse" else self.verdict

    @property
    def regressed(self) -> bool:
        """Whether B is worse by more than the threshold with its whole interval."""
        if self.verdict != "worse" or self.low is None or self.high is None:
            return False
        border = 1 + self.threshold
        return self.high < 1 / border if self.metric.better == "higher" else self.low > border


@dataclass(frozen=True)
class Comparisons:
    """All that can be said of two runs."""

    found: tuple[Comparison, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    environment: Mapping[str, tuple[str | None, str | None]]
    """What differs around the cases."""
    drift: Variance | None
    """The variance between runs that was added; None within one run."""


def compare(
    a: RunFile,
    b: RunFile,
    by: str | None = None,
    thresholds: Mapping[str, float] | None = None,
    metrics: Sequence[str] = tuple(METRICS),
    drift: Variance = BETWEEN_RUNS,
    allow_estimates: bool = False,
) -> Comparisons:
    """Compare the cases of `b` with those of `a`, which may be one run with itself `by` a factor.

    `thresholds`: relative, by metric. `drift`: of one run, log scale. UsageError for a factor that is not known.
    """
    matched = pairs(a, b, by)
    same_run = a.run.id == b.run.id
    limits = {key: (thresholds or {}).get(key, THRESHOLD) for key in METRICS}
    found: list[Comparison] = []
    effects: list[tuple[int, Effect]] = []
    for key in metrics:
        metric = METRICS[key]
        samples = [sample(pair, metric, allow_estimates) for pair in matched.pairs]
        own = [one.own for one in samples if isinstance(one, Sample)]
        prior, degrees = common(own), sum(one.degrees for one in own)
        added = None if same_run or not metric.drifts else drift
        for pair, one in zip(matched.pairs, samples, strict=True):
            effect = _effect(one, prior, degrees, added) if isinstance(one, Sample) else None
            if effect is not None:
                effects.append((len(found), effect))
            found.append(_unjudged(pair, metric, one, limits[key]))
    looked = [_nominal(found[place].pair, a) for place, _ in effects] if same_run and a.run.max_rounds else None
    intervals = holm([effect for _, effect in effects], nominal=looked)
    for (place, effect), interval in zip(effects, intervals, strict=True):
        found[place] = _judged(found[place], effect, interval)
    differences = environment(a, b) if not same_run else between_arms(a)
    return Comparisons(tuple(found), matched.only_a, matched.only_b, differences, None if same_run else drift)


def _nominal(pair: Pair, run_file: RunFile) -> Nominal:
    """The level of the look that a pair of a run is at, where pairs in doubt were measured on."""
    rounds, most = run_file.run.rounds, run_file.run.max_rounds or run_file.run.rounds
    looks = most // rounds
    # A run that was cut off between two looks is judged by the level of the one before.
    measured = min(len(pair.a.trials), len(pair.b.trials))
    look = min(max(1, measured // rounds), looks)
    return lambda alpha: levels(looks, alpha)[look - 1]


def _effect(found: Sample, prior: Variance | None, degrees: float, drift: Variance | None) -> Effect | None:
    """The difference with its variance; None where there are too few trials for one."""
    own = moderated(found.own, prior, max(degrees, 1.0))
    if own.degrees <= 0:
        return None
    parts = [replace(own, value=own.value * found.scale)]
    if drift is not None:
        parts.append(replace(drift, value=2 * drift.value))
    return Effect(found.difference, total(parts))


def _unjudged(pair: Pair, metric: Metric, found: Sample | str, threshold: float) -> Comparison:
    """The comparison as far as it goes without an interval."""
    if isinstance(found, str):
        return Comparison(pair, metric, None, None, None, (0, 0), threshold, "not comparable", False, found)
    ratio = math.exp(found.difference)
    return Comparison(
        pair, metric, ratio, None, None, found.n, threshold, "inconclusive", found.estimated, "n=1, no interval"
    )


def _judged(comparison: Comparison, effect: Effect, interval: tuple[float, float]) -> Comparison:
    """The comparison with its adjusted interval and what follows from it."""
    # What two sensors may be off bounds the ratio, it is no variance: it goes around the interval.
    factors = gain(comparison.pair) if comparison.metric.energy else (1.0, 1.0)
    low, high = interval[0] + math.log(factors[0]), interval[1] + math.log(factors[1])
    return replace(
        comparison,
        low=math.exp(low),
        high=math.exp(high),
        verdict=verdict(low, high, comparison.threshold, comparison.metric),
        reason=comparison.pair.note,
        error=effect.variance,
    )


def verdict(low: float, high: float, threshold: float, metric: Metric) -> Verdict:
    """Of an interval on the log scale: `same` where it lies within the threshold; otherwise better or worse where it
    excludes 0."""
    border = math.log1p(threshold)
    if -border <= low and high <= border:
        return "same"
    if low > 0:
        return "better" if metric.better == "higher" else "worse"
    if high < 0:
        return "worse" if metric.better == "higher" else "better"
    return "inconclusive"
