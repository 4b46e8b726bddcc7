"""What a gate has done over many checks: how often it passed, alarmed and was in doubt, and what later runs said. Pure.

An alarm against a kept run is followed up in the series of its case: the level of the runs after it, up to the next
change point, is compared with the level that its baseline belonged to. The run that alarmed is left out, since it was
selected for being slow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from joulemark.suite.results.history.checks import Check, How, JudgedMetric
from joulemark.suite.results.history.series import Change, Series
from joulemark.suite.stats.change_points import MIN_SEGMENT
from joulemark.suite.stats.detectable_effect import smallest_alarm
from joulemark.suite.stats.intervals import standard_deviation
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.proportion import Proportion
from joulemark.suite.stats.variance import Effect, Variance, sum_of_variances

MIN_CHECKS: Final = 10
"""Fewer checks give no rate: of 10 without an alarm, the rate may still be 31 % (exact bound)."""
MAX_LEVEL_RUNS: Final = 20
"""Runs of a level that count, the nearest ones: as many as a comparison takes of a history."""

FollowUp = Literal["confirmed", "returned", "open"]
"""Later runs stayed at the worse level; were back where they had been; or cannot tell (yet)."""


@dataclass(frozen=True)
class Alarm:
    """One metric of one case that a check called a regression."""

    run: str
    how: How
    metric: JudgedMetric
    follow_up: FollowUp


@dataclass(frozen=True)
class CaseRates:
    """The verdicts on one metric of one case."""

    case: str
    metric: str
    how: How
    held: Proportion
    in_doubt: Proportion
    regressed: Proportion
    alarms: tuple[Alarm, ...]
    smallest_alarm: float | None
    """The smallest worsening that 4 of 5 such checks would have called a regression, 0.1 for 10 %; median over the
    checks. None if no check had an interval."""
    verdicts: tuple[tuple[Check, JudgedMetric], ...]
    """All of them, by the runs' times."""


@dataclass(frozen=True)
class SeenChange:
    """A change point for the worse, by more than the threshold, in a series with checks."""

    series: Series
    change: Change
    alarmed: bool
    """Whether a check of a run after it against one before it called it a regression."""


@dataclass(frozen=True)
class GateHistory:
    """All checks of a directory."""

    checks: int
    fine: Proportion
    """Checks that passed; so on for the other outcomes."""
    not_conclusive: Proportion
    regression: Proportion
    more_work: int
    """Checks that alarmed, among other things or alone, since a step does more."""
    cases: tuple[CaseRates, ...]
    changes: tuple[SeenChange, ...]

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        return tuple(alarm for rates in self.cases for alarm in rates.alarms)


def gate_history(checks: Sequence[Check], all_series: Iterable[Series]) -> GateHistory:
    """Return the rates of `checks`, in the order of the runs' times; `all_series` have the runs' values."""
    by_key: dict[tuple[str, str, How], list[tuple[Check, JudgedMetric]]] = {}
    for check in checks:
        for metric in check.metrics:
            by_key.setdefault((metric.case, metric.metric, check.how), []).append((check, metric))
    series_by_key: dict[tuple[str, str, str, str], list[Series]] = {}
    for series in all_series:
        key = series.case, series.metric, series.fingerprint, series.workload_version
        series_by_key.setdefault(key, []).append(series)
    outcomes = [check.outcome for check in checks]
    return GateHistory(
        checks=len(checks),
        fine=Proportion(outcomes.count("fine"), len(outcomes)),
        not_conclusive=Proportion(outcomes.count("not conclusive"), len(outcomes)),
        regression=Proportion(outcomes.count("regression"), len(outcomes)),
        more_work=sum(check.more_work > 0 for check in checks),
        cases=tuple(_rates(*key, by_key[key], series_by_key) for key in sorted(by_key)),
        changes=tuple(
            seen
            for case, metric, how in sorted(by_key)
            if how == "stored"
            for seen in _seen_changes(by_key[case, metric, how], series_by_key)
        ),
    )


_SeriesByKey = Mapping[tuple[str, str, str, str], Sequence[Series]]


def _rates(
    case: str, metric: str, how: How, verdicts: Sequence[tuple[Check, JudgedMetric]], series_by_key: _SeriesByKey
) -> CaseRates:
    labels = [judged.verdict for _, judged in verdicts]
    smallest = [size for _, judged in verdicts if (size := _smallest_alarm(judged)) is not None]
    alarms = [(check, judged) for check, judged in verdicts if judged.verdict == "regressed"]
    return CaseRates(
        case=case,
        metric=metric,
        how=how,
        held=Proportion(labels.count("held"), len(labels)),
        in_doubt=Proportion(labels.count("in doubt"), len(labels)),
        regressed=Proportion(len(alarms), len(labels)),
        alarms=tuple(Alarm(c.run, how, judged, _follow_up(c, judged, series_by_key)) for c, judged in alarms),
        smallest_alarm=median(smallest) if smallest else None,
        verdicts=tuple(verdicts),
    )


def _smallest_alarm(judged: JudgedMetric) -> float | None:
    if judged.low is None or judged.high is None or judged.error is None:
        return None
    value, degrees = judged.error
    error = Variance(value, math.inf if degrees is None else degrees)
    return smallest_alarm(judged.threshold, math.log(judged.high / judged.low) / 2, error)


def _positions(check: Check, judged: JudgedMetric, series_by_key: _SeriesByKey) -> tuple[Series, int, int] | None:
    """Return the series that a stored check belongs to, and in it the index of the first run of its baseline and of the
    judged run. None without one: a run is no longer kept, or both sides were measured turn by turn."""
    key = judged.case, judged.metric, check.fingerprint, judged.workload_version
    for series in series_by_key.get(key, ()):
        places = {point.run: i for i, point in enumerate(series.points)}
        if check.run in places and check.baseline in places and check.how == "stored":
            first = places[check.baseline] - judged.runs + 1
            return series, max(0, first), places[check.run]
    return None


def _follow_up(check: Check, judged: JudgedMetric, series_by_key: _SeriesByKey) -> FollowUp:
    """Return what later runs say of an alarm."""
    if (positions := _positions(check, judged, series_by_key)) is None:
        return "open"
    series, baseline, run = positions
    levels = series.levels
    start, end = next(level for level in levels if level[0] <= baseline < level[1])
    before = [point.value for point in series.points[start : min(end, run)]][-MAX_LEVEL_RUNS:]
    # A change point may be placed some runs late: the level after the alarm is the one `MIN_SEGMENT` runs on.
    later = run + MIN_SEGMENT
    if later >= len(series.points) or len(before) < 2:
        return "open"
    start, end = next(level for level in levels if level[0] <= later < level[1])
    after = [point.value for point in series.points[max(start, run + 1) : end]][:MAX_LEVEL_RUNS]
    if len(after) < MIN_SEGMENT:
        return "open"
    low, high = _worsening(before, after, judged.metric)
    if low > 0:
        return "confirmed"
    return "returned" if high < math.log1p(judged.threshold) else "open"


def _worsening(before: Sequence[float], after: Sequence[float], metric: str) -> tuple[float, float]:
    """Return the 95 % interval of by how much the level got worse, log scale (Welch 1947)."""
    logs = [[math.log(value) for value in values] for values in (before, after)]
    means = [math.fsum(values) / len(values) for values in logs]
    sign = -1.0 if METRICS[metric].better == "higher" else 1.0
    parts = [Variance(standard_deviation(values) ** 2 / len(values), len(values) - 1.0) for values in logs]
    return Effect(sign * (means[1] - means[0]), sum_of_variances(parts)).interval(0.05)


def _seen_changes(
    verdicts: Sequence[tuple[Check, JudgedMetric]], series_by_key: _SeriesByKey
) -> tuple[SeenChange, ...]:
    """Return the changes for the worse that checks of one metric of one case had to see."""
    seen: dict[tuple[str, int], SeenChange] = {}
    for check, judged in verdicts:
        if (positions := _positions(check, judged, series_by_key)) is None:
            continue
        series, baseline, run = positions
        for change in series.changes:
            index, ratio = change.change_point.index, change.change_point.ratio
            worse = 1 / ratio if series.better == "higher" else ratio
            # The run where a change point is placed may be off by some runs.
            if worse <= 1 + judged.threshold or not baseline < index <= run + MIN_SEGMENT - 1:
                continue
            key = series.name, index
            alarmed = judged.verdict == "regressed" or (key in seen and seen[key].alarmed)
            if alarmed or run >= index:
                seen[key] = SeenChange(series, change, alarmed)
    return tuple(seen[key] for key in sorted(seen))
