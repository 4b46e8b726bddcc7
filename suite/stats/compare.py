"""Compare cases: ratios with intervals, and verdicts that cannot contradict them. Pure.

A ratio is B over A, of geometric means over trials. Variances are moderated across cases (Smyth 2004), and Holm's
procedure adjusts the levels over everything that is judged, so that many cases do not raise false alarms by their sheer
number. Two runs also differ by drift, which the trials of neither can show: it enters as a variance of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from joulemark.suite.energy.attribution import case_energy
from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.between_runs.reference import NO_REFERENCES, Divided, References
from joulemark.suite.stats.comparison import Comparison, ComparisonResult, verdict
from joulemark.suite.stats.drift import ASSUMED_DRIFT, assumed_drift
from joulemark.suite.stats.interim_analysis import analysis_levels
from joulemark.suite.stats.intervals import CONFIDENCE
from joulemark.suite.stats.metrics import METRICS, Metric
from joulemark.suite.stats.paired_samples import PairedSample, error_range, paired_sample
from joulemark.suite.stats.pairs import (
    Pair,
    Pairs,
    arm_differences,
    environment_differences,
    pair_cases,
    with_earlier_runs,
)
from joulemark.suite.stats.thresholds import Thresholds
from joulemark.suite.stats.variance import Effect, LevelFunction, Variance, fit_prior, holm, moderate, sum_of_variances

MAX_LOG: Final = 700.0
"""Ends of an interval beyond exp(+-700) are no numbers: few trials of many cases can be that unsure."""


def compare(
    a: RunFile,
    b: RunFile,
    by: str | None = None,
    thresholds: Thresholds | Mapping[str, float] | None = None,
    metrics: Sequence[str] = tuple(METRICS),
    drift: Variance | Mapping[str, Variance] = ASSUMED_DRIFT,
    allow_estimates: bool = False,
    earlier: Sequence[RunFile] = (),
    references: References = NO_REFERENCES,
    confidence: float = CONFIDENCE,
    matches: Pairs | None = None,
) -> ComparisonResult:
    """Return the comparison of the cases of `b` with those of the baseline `a`. UsageError for an unknown factor.

    `by` is the one factor that may differ within a pair; with it, `b` may be `a` itself. `metrics` are keys of METRICS.
    `thresholds` are relative, by metric, or by metric and case: a metric that is off for a case is left out there.
    `drift` is the variance of one run about the mean of its machine, log scale; or a mapping by metric, with
    ASSUMED_DRIFT for the others. `allow_estimates` lets modelled energy be compared with measured energy. `earlier` are
    more runs of the same cases on the machine of `a`; they form one baseline with it. What `references` say of the
    machine's speed in these runs is divided out of the ratios of cases that follow it. `confidence` is that of all
    intervals together. `matches` are the pairs, where they are not those of equal cases.
    """
    matches = matches or pair_cases(a, b, by)
    same_run = a.run.id == b.run.id
    limits = thresholds if isinstance(thresholds, Thresholds) else Thresholds.of_metrics(thresholds or {})
    shown = [key for key in metrics if METRICS[key].phase is None or _having(METRICS[key], matches.pairs, limits)]
    drifts = {
        key: drift if isinstance(drift, Variance) else drift.get(key, ASSUMED_DRIFT)
        for key in shown
        if METRICS[key].drifts and not same_run
    }
    pairs = [with_earlier_runs(p, earlier) for p in matches.pairs] if earlier and not same_run else matches.pairs

    def divided(metric: Metric, pair: Pair, runs: int) -> Divided | None:
        if same_run or pair.a.id != pair.b.id or not pair.same_machine:
            return None
        own = [run for run in earlier if any(case is kept for kept in pair.earlier for case in run.cases)]
        baseline = [a.run.id, *(run.run.id for run in own)]
        # Where the energy of some of these runs was measured otherwise, they are not in the mean.
        return references.divided(metric.key, pair.b, baseline, b.run.id) if len(baseline) == runs else None

    rows = [
        row
        for key in shown
        for row in _compare_metric(
            METRICS[key], _having(METRICS[key], pairs, limits), limits, drifts.get(key), allow_estimates, divided
        )
    ]
    effects = [(comparison, effect) for comparison, effect in rows if effect is not None]
    # The rounds of two arms, or those of `b` alone against a kept run; a sweep's later rounds have levels of their own.
    sequential = b.run.max_rounds is not None and bool(b.settings.arms) == same_run and not b.settings.over
    nominal = [_level_function(comparison.pair, b, same_run) for comparison, _ in effects] if sequential else None
    intervals = iter(holm([effect for _, effect in effects], 1 - confidence, nominal))
    return ComparisonResult(
        comparisons=tuple(c if effect is None else _with_interval(c, next(intervals)) for c, effect in rows),
        only_a=matches.only_a,
        only_b=matches.only_b,
        environment=environment_differences(a, b) if not same_run else arm_differences(a),
        drift=drifts,
        confidence=confidence,
        missing_reasons=matches.missing_reasons,
        reference_speed=None if same_run else references.speed_ratio([run.run.id for run in (a, *earlier)], b.run.id),
    )


def _having(metric: Metric, pairs: Sequence[Pair], limits: Thresholds) -> Sequence[Pair]:
    """Return the pairs of the metric's phase; all, if the user asks for it and none has it, lest it go unnoticed."""
    having = [pair for pair in pairs if metric.belongs_to(pair.b)]
    return pairs if not having and metric.key in limits.requested else having


def metric_families(
    a: RunFile, b: RunFile, metrics: Sequence[str] = tuple(METRICS), allow_estimates: bool = False
) -> list[tuple[str, ...]]:
    """Return the families of metrics whose levels are adjusted together.

    Energy that nobody measured is a family of its own, lest it widen the intervals of what was measured.
    """
    kinds = {case_energy(case.trials).kind for run in (a, b) for case in run.cases}
    if "energy" not in metrics or allow_estimates or not kinds <= {"model", "unavailable"}:
        return [tuple(metrics)] if metrics else []
    return [family for family in (tuple(metric for metric in metrics if metric != "energy"), ("energy",)) if family]


def _compare_metric(
    metric: Metric,
    pairs: Sequence[Pair],
    limits: Thresholds,
    drift: Variance | None,
    allow_estimates: bool,
    divide: Callable[[Metric, Pair, int], Divided | None],
) -> list[tuple[Comparison, Effect | None]]:
    """Return a comparison without interval for each pair, with its effect; None for an effect that has no interval."""
    judged = [(pair, limit) for pair in pairs if (limit := limits.limit(metric.key, pair.b.id)) is not None]
    samples = [paired_sample(pair, metric, allow_estimates) for pair, _ in judged]
    variances = [sample.variance for sample in samples if isinstance(sample, PairedSample)]
    prior, degrees = fit_prior(variances), sum(variance.degrees for variance in variances)
    rows: list[tuple[Comparison, Effect | None]] = []
    for (pair, limit), sample in zip(judged, samples, strict=True):
        if isinstance(sample, str):
            rows.append((_not_comparable(pair, metric, sample, limit, drift), None))
            continue
        moderated = moderate(sample.variance, prior, max(degrees, 1.0))
        reference = divide(metric, pair, sample.runs)
        between = _between_runs(drift, moderated, sample.runs) if reference is None else reference.drift
        difference = sample.difference - (reference.slope * reference.log_ratio if reference is not None else 0.0)
        comparison = Comparison(
            pair=pair,
            metric=metric,
            ratio=math.exp(difference),
            low=None,
            high=None,
            n=sample.n,
            threshold=limit,
            verdict="inconclusive",
            estimated=sample.estimated,
            reason="n=1, no interval",
            error=_error(sample, sample.variance, between) if sample.variance.degrees > 0 else None,
            drift=drift,
            values=(math.exp(sample.means[0]), math.exp(sample.means[1])),
            runs=sample.runs,
            reference=reference,
            log_ratio_by_round=sample.by_round,
        )
        effect = Effect(difference, _error(sample, moderated, between)) if moderated.degrees > 0 else None
        rows.append((comparison, effect))
    return rows


def _level_function(pair: Pair, run_file: RunFile, arms: bool) -> LevelFunction:
    """Return the level of the interim analysis that a pair has reached, whose case B, or both for `arms`, are of
    `run_file`."""
    run = run_file.run
    analyses = (run.max_rounds or run.rounds) // run.rounds
    # A run that was cut off between two analyses is judged at the level of the earlier one.
    done = min(len(case.trials) for case in ((pair.a, pair.b) if arms else (pair.b,)))
    analysis = min(max(1, done // run.rounds), analyses)
    return lambda alpha: analysis_levels(analyses, alpha)[analysis - 1]


def _between_runs(drift: Variance | None, trials: Variance, runs: int) -> Variance | None:
    """Return the variance between the mean of `runs` runs and one more with `drift`, all with trials that vary by
    `trials`; None within one run."""
    if drift is None:
        return None
    run_drift = assumed_drift(trials) if drift == ASSUMED_DRIFT else drift
    return replace(run_drift, value=(1 + 1 / runs) * run_drift.value)


def _error(sample: PairedSample, variance: Variance, between: Variance | None) -> Variance:
    """Return the variance of a difference of trials with `variance`, in runs that differ by `between`."""
    trials = replace(variance, value=variance.value * sample.scale)
    return trials if between is None else sum_of_variances([trials, between])


def _geometric_mean(case: Case, metric: Metric) -> float | None:
    logs = [math.log(value) for value in metric.values(case).values()]
    return math.exp(math.fsum(logs) / len(logs)) if logs else None


def _not_comparable(pair: Pair, metric: Metric, reason: str, threshold: float, drift: Variance | None) -> Comparison:
    values = _geometric_mean(pair.a, metric), _geometric_mean(pair.b, metric)
    return Comparison(
        pair, metric, None, None, None, (0, 0), threshold, "not comparable", False, reason, drift=drift, values=values
    )


def _with_interval(comparison: Comparison, interval: tuple[float, float]) -> Comparison:
    """Return the comparison with its adjusted interval and the verdict that follows."""
    # Sensor error bounds the ratio and is not a variance: it goes around the interval.
    factors = error_range(comparison.pair) if comparison.metric.energy else (1.0, 1.0)
    low, high = interval[0] + math.log(factors[0]), interval[1] + math.log(factors[1])
    return replace(
        comparison,
        low=math.exp(max(low, -MAX_LOG)),
        high=math.exp(min(high, MAX_LOG)),
        verdict=verdict(low, high, comparison.threshold, comparison.metric),
        reason=comparison.pair.note,
    )
