"""Ratios between cases with intervals, and verdicts that cannot contradict them. Pure.

A ratio is B over A of geometric means over trials. Variances are moderated across cases (Smyth 2004) and levels are
Holm's over all that is judged, so that many cases do not cry wolf by their number. Between two runs there is drift,
which no trial of either run can show: it enters as a variance of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from joulemark.suite.energy.attribution import case_energy
from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.drift import MIN_RUNS
from joulemark.suite.stats.metrics import METRICS, Metric
from joulemark.suite.stats.paired_samples import PairedSample, error_range, paired_sample
from joulemark.suite.stats.pairs import Pair, arm_differences, environment_differences, pair_cases, with_earlier_runs
from joulemark.suite.stats.sequential import analysis_levels
from joulemark.suite.stats.thresholds import Thresholds
from joulemark.suite.stats.variance import (
    Effect,
    Nominal,
    Variance,
    fit_prior,
    holm,
    moderate,
    sum_of_variances,
    upper_bound,
)

Verdict = Literal["better", "worse", "same", "inconclusive", "not comparable"]

ASSUMED_DRIFT: Final = Variance(0.05**2, MIN_RUNS - 1.0)
"""Drift of a run about the mean of its machine, on the log scale: 5 %, assumed until the machine's own is known from at
least 5 separate runs, and held as loosely as an estimate from those 5 would be; or as much as trials of a run may vary
where that is more. It hides small changes between stored runs and shows large ones: one case alone alarms from +28 % at
the usual threshold of 5 %."""

MAY_VARY: Final = 0.99
"""Confidence that trials of a run do not vary by more than is taken for it where drift is assumed."""


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
    """Variance of the ratio's logarithm by its own trials, drift included, without what sensors may be off by; None
    where they are too few. It is what may be summed over pairs, and not moderated: that keeps single intervals honest,
    but draws the large variances that a sum is made of towards the small ones."""
    drift: Variance | None = None
    """Of one run about its machine's mean; None within one run, and where nothing drifts."""
    values: tuple[float | None, float | None] = (None, None)
    """Geometric means of A and B over their trials, in the metric's unit; None where not measured."""
    runs: int = 1
    """Separate runs that A is the mean of."""
    log_ratio_by_round: Mapping[int, float] = field(default_factory=dict)
    """Logarithm of the ratio by round, where both were measured in the rounds of one run."""

    @property
    def label(self) -> str:
        """The verdict for people: `faster`, `more energy`, `same`, ..."""
        if self.verdict == "better":
            return self.metric.labels[0]
        return self.metric.labels[1] if self.verdict == "worse" else self.verdict

    @property
    def regressed(self) -> bool:
        """Whether B is worse by more than the threshold with its whole interval."""
        if self.verdict != "worse" or self.low is None or self.high is None:
            return False
        border = 1 + self.threshold
        return self.high < 1 / border if self.metric.better == "higher" else self.low > border

    @property
    def held(self) -> bool:
        """Whether B is surely not worse by more than the threshold: no part of its interval is."""
        if self.low is None or self.high is None:
            return False
        border = 1 + self.threshold
        return self.low >= 1 / border if self.metric.better == "higher" else self.high <= border


@dataclass(frozen=True)
class ComparisonResult:
    """All that can be said of two runs."""

    comparisons: tuple[Comparison, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    environment: Mapping[str, tuple[str | None, str | None]]
    """What differs around the cases."""
    drift: Mapping[str, Variance]
    """The variance of a run that was assumed, by metric; empty within one run."""
    missing_reasons: Mapping[str, str] = field(default_factory=dict)
    """What the other run has instead of a case that only one has, by id."""


def compare(
    a: RunFile,
    b: RunFile,
    by: str | None = None,
    thresholds: Thresholds | Mapping[str, float] | None = None,
    metrics: Sequence[str] = tuple(METRICS),
    drift: Variance | Mapping[str, Variance] = ASSUMED_DRIFT,
    allow_estimates: bool = False,
    earlier: Sequence[RunFile] = (),
) -> ComparisonResult:
    """Compare the cases of `b` with those of `a`, which may be one run with itself `by` a factor.

    `thresholds`: relative, by metric, or by metric and case: a metric that is off in a case is left out there. `drift`:
    of one run, log scale; by metric where it is a mapping, ASSUMED_DRIFT for others. `earlier`: more runs of the same
    cases on the machine of `a`, which make one baseline with it. UsageError for a factor that is not known.
    """
    matched = pair_cases(a, b, by)
    same_run = a.run.id == b.run.id
    limits = thresholds if isinstance(thresholds, Thresholds) else Thresholds.of_metrics(thresholds or {})
    drifts = {key: _drift(key, drift) for key in metrics if METRICS[key].drifts and not same_run}
    both = [with_earlier_runs(pair, earlier) for pair in matched.pairs] if earlier and not same_run else matched.pairs
    found: list[Comparison] = []
    effects: list[tuple[int, Effect]] = []
    for key in metrics:
        metric = METRICS[key]
        judged = [(pair, limit) for pair in both if (limit := limits.of(key, pair.b.id)) is not None]
        samples = [paired_sample(pair, metric, allow_estimates) for pair, _ in judged]
        own = [one.own for one in samples if isinstance(one, PairedSample)]
        prior, degrees = fit_prior(own), sum(one.degrees for one in own)
        for (pair, limit), one in zip(judged, samples, strict=True):
            unjudged = replace(_unjudged(pair, metric, one, limit), drift=drifts.get(key))
            if isinstance(one, PairedSample):
                steady = moderate(one.own, prior, max(degrees, 1.0))
                drifting = _drifting(steady, drifts.get(key))
                if steady.degrees > 0:
                    effects.append((len(found), Effect(one.difference, _error(one, steady, drifting))))
                if one.own.degrees > 0:
                    unjudged = replace(unjudged, error=_error(one, one.own, drifting))
            found.append(unjudged)
    looked = [_nominal(found[place].pair, a) for place, _ in effects] if same_run and a.run.max_rounds else None
    intervals = holm([effect for _, effect in effects], nominal=looked)
    for (place, _), interval in zip(effects, intervals, strict=True):
        found[place] = _judged(found[place], interval)
    differences = environment_differences(a, b) if not same_run else arm_differences(a)
    return ComparisonResult(tuple(found), matched.only_a, matched.only_b, differences, drifts, matched.missing_reasons)


def metric_families(
    a: RunFile, b: RunFile, metrics: Sequence[str] = tuple(METRICS), allow_estimates: bool = False
) -> list[tuple[str, ...]]:
    """Metrics that are judged together. Energy that nobody measured must not widen the intervals of what was."""
    kinds = {case_energy(case.trials).kind for run in (a, b) for case in run.cases}
    if "energy" not in metrics or allow_estimates or not kinds <= {"model", "unavailable"}:
        return [tuple(metrics)] if metrics else []
    return [family for family in (tuple(metric for metric in metrics if metric != "energy"), ("energy",)) if family]


def _drift(metric: str, drift: Variance | Mapping[str, Variance]) -> Variance:
    return drift if isinstance(drift, Variance) else drift.get(metric, ASSUMED_DRIFT)


def _nominal(pair: Pair, run_file: RunFile) -> Nominal:
    """The level of the look that a pair of a run is at, where pairs in doubt were measured on."""
    rounds, most = run_file.run.rounds, run_file.run.max_rounds or run_file.run.rounds
    looks = most // rounds
    # A run that was cut off between two looks is judged by the level of the one before.
    measured = min(len(pair.a.trials), len(pair.b.trials))
    look = min(max(1, measured // rounds), looks)
    return lambda alpha: analysis_levels(looks, alpha)[look - 1]


def _error(found: PairedSample, own: Variance, drift: Variance | None) -> Variance:
    """Of the difference: what its trials vary by, if `own` is the variance of one, and what its runs drift by."""
    parts = [replace(own, value=own.value * found.scale)]
    if drift is not None:
        parts.append(replace(drift, value=(1 + 1 / found.runs) * drift.value))
    return sum_of_variances(parts)


def _drifting(own: Variance, drift: Variance | None) -> Variance | None:
    """Of one run of trials that vary by `own`: what is known, or what is assumed where nothing is."""
    return _assumed(own) if drift == ASSUMED_DRIFT else drift


def _assumed(own: Variance) -> Variance:
    """Drift where the machine's is not known: where trials of a run vary by more than 5 %, runs do too.

    By as much as trials *may* vary, since a few of them can agree by chance or lie within one of the machine's bad
    minutes. On the pool of docs/gate.md the bare 5 % alarmed falsely in up to 8 % of comparisons, 5 % or what trials
    were seen to vary in 3.3 % at three rounds, this in 0.4 %.
    """
    return replace(ASSUMED_DRIFT, value=max(ASSUMED_DRIFT.value, upper_bound(own, MAY_VARY)))


def _unjudged(pair: Pair, metric: Metric, found: PairedSample | str, threshold: float) -> Comparison:
    """The comparison as far as it goes without an interval."""
    if isinstance(found, str):
        values = _mean(pair.a, metric), _mean(pair.b, metric)
        return Comparison(
            pair, metric, None, None, None, (0, 0), threshold, "not comparable", False, found, values=values
        )
    return Comparison(
        pair=pair,
        metric=metric,
        ratio=math.exp(found.difference),
        low=None,
        high=None,
        n=found.n,
        threshold=threshold,
        verdict="inconclusive",
        estimated=found.estimated,
        reason="n=1, no interval",
        values=(math.exp(found.means[0]), math.exp(found.means[1])),
        runs=found.runs,
        log_ratio_by_round=found.by_round,
    )


def _mean(case: Case, metric: Metric) -> float | None:
    logs = [math.log(value) for value in metric.values(case).values()]
    return math.exp(math.fsum(logs) / len(logs)) if logs else None


def _judged(comparison: Comparison, interval: tuple[float, float]) -> Comparison:
    """The comparison with its adjusted interval and what follows from it."""
    # What two sensors may be off bounds the ratio, it is no variance: it goes around the interval.
    factors = error_range(comparison.pair) if comparison.metric.energy else (1.0, 1.0)
    low, high = interval[0] + math.log(factors[0]), interval[1] + math.log(factors[1])
    return replace(
        comparison,
        low=math.exp(low),
        high=math.exp(high),
        verdict=verdict(low, high, comparison.threshold, comparison.metric),
        reason=comparison.pair.note,
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
