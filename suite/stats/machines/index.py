"""The index of a machine against a reference: one ratio of speed and one of items per joule over a fixed basket. Pure.

It is the geometric mean of the ratios of the basket's cases (P. J. Fleming and J. J. Wallace, "How not to lie with
statistics: the correct way to summarize benchmark results", Communications of the ACM 29, 1986). It is of a system,
with its framework's version, and never of the silicon.

Its interval is made of the rounds of each run: in one round a busy machine slows all cases, so the mean over the basket
is taken in each round first, and these means are the independent values. What all cases share is not divided by their
number: the drift of each run about its machine's mean, and the limits of each sensor, which widen the ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, Literal

from joulemark.suite.energy.attribution import is_estimated
from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.compare import MAX_LOG
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.drift import assumed_drift
from joulemark.suite.stats.intervals import CONFIDENCE, standard_deviation
from joulemark.suite.stats.machines.baskets import BASKETS, Basket, Task
from joulemark.suite.stats.machines.compared import compare_with_reference
from joulemark.suite.stats.machines.pairs import measured_components
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.paired_samples import error_range
from joulemark.suite.stats.variance import Effect, Variance, sum_of_variances
from joulemark.suite.trial.frameworks import FRAMEWORKS

Quantity = Literal["speed", "items per joule"]
QUANTITIES: Final[Mapping[str, Quantity]] = {"throughput": "speed", "energy": "items per joule"}
"""What is better if it is higher, by the key of the metric that it comes from."""

Rounds = Sequence[Mapping[int, float]]
"""Log values of each case of a run, by round."""


@dataclass(frozen=True)
class Part:
    """One case of the basket."""

    task: Task
    case: str
    """Id in the run."""
    reference_case: str
    ratio: float
    """Run over reference; more is better."""
    note: str
    """What differs beside the machine; empty for nothing."""


@dataclass(frozen=True)
class Index:
    """One index: its value with its interval and parts, or the reason why there is none."""

    basket: Basket
    framework: str
    mode: str
    quantity: Quantity
    value: float | None
    low: float | None = None
    """Lower end of the 95 % interval; None where there is none, with the reason."""
    high: float | None = None
    reason: str = ""
    parts: tuple[Part, ...] = ()
    versions: tuple[str, str] = ("", "")
    """Versions of the framework in the reference and in the run."""
    scope: str = ""
    """Whose joules: `gpu` for the board alone, ..."""


def indices(reference: RunFile, run: RunFile) -> tuple[Index, ...]:
    """Return the indices of `run` in the default mode of each framework: of speed, and of items per joule, in turn.

    A basket of which the run has no case is left out.
    """
    comparisons = compare_with_reference(reference, run).comparisons
    found = []
    for basket in BASKETS:
        of_basket = [each for each in comparisons if _is_in(each.pair.b, basket)]
        for framework, mode in dict.fromkeys((c.framework, c.mode) for c in run.cases if _is_in(c, basket)):
            if framework in FRAMEWORKS and FRAMEWORKS[framework].default_mode != mode:
                continue
            for metric, quantity in QUANTITIES.items():
                own = [
                    each
                    for each in of_basket
                    if (each.pair.b.framework, each.pair.b.mode, each.metric.key) == (framework, mode, metric)
                ]
                found.append(index_over(basket, framework, mode, quantity, own))
    return tuple(found)


def _is_in(case: Case, basket: Basket) -> bool:
    """Return whether a case is one of the basket's tasks, without execution settings of its own."""
    own_setting = "+" in case.id
    task = (case.workload_id, case.phase)
    return task in basket.tasks and (case.size, case.precision) == (basket.size, basket.precision) and not own_setting


def index_over(basket: Basket, framework: str, mode: str, quantity: Quantity, found: Sequence[Comparison]) -> Index:
    """Return one index over `basket` of comparisons of one metric, framework and mode; without value if one lacks."""
    chosen: dict[Task, Comparison] = {}
    for each in found:  # the first that was measured, where several devices or batch sizes were
        chosen.setdefault((each.pair.b.workload_id, each.pair.b.phase), each)
    if reason := _refusal(basket, quantity, chosen):
        return Index(basket, framework, mode, quantity, None, reason=reason)
    ordered = [chosen[task] for task in basket.tasks]
    sign = 1.0 if METRICS[ordered[0].metric.key].better == "higher" else -1.0
    sides = [[_logs(each, side, sign) for each in ordered] for side in ("a", "b")]
    effect, reason = log_ratio(*sides)
    low, high = _ends(effect, [_error_range(each, sign) for each in ordered])
    parts = tuple(
        Part(task, c.pair.b.id, c.pair.a.id, (c.ratio or 1.0) ** sign, c.pair.note or "")
        for task, c in zip(basket.tasks, ordered, strict=True)
    )
    scope = " and ".join(sorted(measured_components(ordered[0].pair.b))) if quantity == "items per joule" else ""
    value = _exp(effect.estimate)
    return Index(basket, framework, mode, quantity, value, low, high, reason, parts, ordered[0].pair.versions, scope)


def _refusal(basket: Basket, quantity: Quantity, chosen: Mapping[Task, Comparison]) -> str:
    """Return why there is no index; empty if there is one."""
    cases = [case for each in chosen.values() for case in (each.pair.a, each.pair.b)]
    if quantity == "items per joule" and (owner := _estimated(chosen)):
        return f"{owner} is estimated, not measured"
    missing = [f"{workload} {phase}" for workload, phase in basket.tasks if (workload, phase) not in chosen]
    if missing:
        return "the reference has none of these cases" if not chosen else f"not measured on both: {', '.join(missing)}"
    without = {f"{t[0]} {t[1]}": chosen[t].reason or "" for t in basket.tasks if chosen[t].ratio is None}
    if without:
        return _shared_reason(without, len(basket.tasks))
    if len({each.pair.b.device for each in chosen.values()}) > 1:
        return "its cases ran on several devices"
    if quantity == "items per joule" and len(set(map(measured_components, cases))) > 1:
        return "the energy of its cases is of different components"
    return ""


def _estimated(chosen: Mapping[Task, Comparison]) -> str:
    """Return whose energy is estimated; empty if nobody's is."""
    of_reference, of_run = (any(is_estimated(getattr(c.pair, side)) for c in chosen.values()) for side in ("a", "b"))
    if of_reference and of_run:
        return "the energy of both"
    return "the reference's energy" if of_reference else "this run's energy" if of_run else ""


def _shared_reason(reasons: Mapping[str, str], tasks: int) -> str:
    """Return the reason by task that all `tasks` share, or else the first one with its task."""
    if len(reasons) == tasks and len(set(reasons.values())) == 1:
        return next(iter(reasons.values()))
    task, reason = next(iter(reasons.items()))
    return f"{task}: {reason}" + (f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else "")


def _logs(comparison: Comparison, side: Literal["a", "b"], sign: float) -> Mapping[int, float]:
    values = comparison.metric.values(getattr(comparison.pair, side))
    return {number: sign * math.log(value) for number, value in values.items()}


def _error_range(comparison: Comparison, sign: float) -> tuple[float, float]:
    """Return the logs of the factors by which the sensors of both may be off."""
    if not comparison.metric.energy:
        return 0.0, 0.0
    low, high = (math.log(factor) for factor in error_range(comparison.pair))
    return (low, high) if sign > 0 else (-high, -low)


def _ends(effect: Effect, sensors: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    """Return the interval of an index, widened by the mean of its sensors' limits; (None, None) if it has none."""
    if math.isnan(effect.variance.value):
        return None, None
    low, high = effect.interval(1 - CONFIDENCE)
    return _exp(low + fmean(pair[0] for pair in sensors)), _exp(high + fmean(pair[1] for pair in sensors))


def _exp(log: float) -> float:
    """Return exp(`log`), within what is a number."""
    return math.exp(max(-MAX_LOG, min(MAX_LOG, log)))


def log_ratio(reference: Rounds, run: Rounds) -> tuple[Effect, str]:
    """Return the mean log ratio of the cases of two runs, and why its variance is unknown (NaN); empty if it is known.

    Each side holds the log values of the same cases in the same order, by round. With one round there is no interval.
    """
    means = [_mean_by_round(side) for side in (reference, run)]
    lone = [name for name, of_side in zip(("the reference", "this run"), means, strict=True) if len(of_side) < 2]
    if lone:
        plain = [fmean(fmean(case.values()) for case in side) for side in (reference, run)]
        return Effect(plain[1] - plain[0], Variance(math.nan, 0.0)), f"n=1 in {' and '.join(lone)}, no interval"
    trials = [Variance(standard_deviation(of_side) ** 2 / len(of_side), len(of_side) - 1.0) for of_side in means]
    degrees = [len(of_side) - 1.0 for of_side in means]
    pooled = Variance(
        math.fsum(standard_deviation(m) ** 2 * d for m, d in zip(means, degrees, strict=True)) / sum(degrees),
        sum(degrees),
    )
    drift = assumed_drift(pooled)  # of each of the two runs
    both = Variance(2 * drift.value, drift.degrees)
    return Effect(fmean(means[1]) - fmean(means[0]), sum_of_variances([*trials, both])), ""


def _mean_by_round(cases: Rounds) -> list[float]:
    """Return the mean over the cases in each round that has all of them."""
    shared = set.intersection(*(set(case) for case in cases))
    return [fmean(case[number] for case in cases) for number in sorted(shared)]
