"""How far runs of one machine drift apart with the time between them, and with the time of day. Pure.

Half the mean squared difference of two runs, by the time between them, is the variogram of the machine (N. Cressie,
"Statistics for spatial data", Wiley 1993, section 2.4): with drift that wanders slowly, yesterday's run is a better
baseline than last month's, and runs of one hour cannot show how the machine drifts over a month. Of independent runs it
is the same at all distances: the variance about their mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from statistics import fmean
from typing import Final

from joulemark.suite.records import RunFile
from joulemark.suite.stats.drift import MIN_RUNS, trials_by_case, variance_components
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.variance import Variance

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S
CLASSES: Final = (("an hour", HOUR_S), ("a day", 1.25 * DAY_S), ("a week", 7.5 * DAY_S), ("a month", 31 * DAY_S))
"""Names and upper ends of the classes of distance; a run a day after another may start some hours late."""
OLDER: Final = "more than a month"
_NAMES: Final = (*(f"up to {name}" for name, _ in CLASSES), OLDER)
MIN_DEGREES: Final = MIN_RUNS - 1.0
"""A class of distance needs as many degrees of freedom as any other estimate of drift."""
TIME_OF_DAY_RUNS: Final = 20
"""Runs that it takes to show a swing by time of day, of which sine and cosine take two degrees of freedom."""


@dataclass(frozen=True)
class DriftAtAge(Variance):
    """The variance of a run about another, halved, where they are so far apart."""

    apart: str
    """The class of distance: `up to a day`."""
    runs: int
    """Runs that have another at this distance."""


def drift_by_age(runs: Sequence[RunFile], metric: str) -> tuple[DriftAtAge, ...]:
    """Return the drift of the machine of the last run by the distance of runs, nearest first; without empty classes."""
    own = [run for run in runs if run.machine.fingerprint == runs[-1].machine.fingerprint]
    return variogram({run.run.id: _start_s(run) for run in own}, _half_squares(own, metric))


def variogram(starts_s: Mapping[str, float], half_squares: Mapping[tuple[str, str], float]) -> tuple[DriftAtAge, ...]:
    """Return the mean of `half_squares`, half the squared difference of each two runs, by the distance of their starts.

    Neighbouring classes are pooled where the drift would be smaller further apart, which it is by chance only.
    """
    pairs_by_class: dict[str, list[tuple[str, str]]] = {}
    for pair in half_squares:
        pairs_by_class.setdefault(_class(_distance_s(starts_s, pair)), []).append(pair)
    classes = []
    for name in (name for name in _NAMES if name in pairs_by_class):
        pairs = pairs_by_class[name]
        members = {run for pair in pairs for run in pair}
        mean = fmean(half_squares[pair] for pair in pairs)
        classes.append(DriftAtAge(mean, _degrees(starts_s, pairs, members), name, len(members)))
    return tuple(_without_falls(classes))


def _distance_s(starts_s: Mapping[str, float], pair: tuple[str, str]) -> float:
    return abs(starts_s[pair[0]] - starts_s[pair[1]])


def _degrees(starts_s: Mapping[str, float], pairs: Sequence[tuple[str, str]], members: set[str]) -> float:
    """Return how many of the pairs are independent: those without a run, or a stretch of time, in common."""
    times = [starts_s[run] for run in members]
    distance_s = fmean(_distance_s(starts_s, pair) for pair in pairs)
    stretches = (max(times) - min(times)) // distance_s if distance_s > 0 else len(members)
    return float(max(1, min(len(members) // 2, stretches)))


def _start_s(run: RunFile) -> float:
    return datetime.fromisoformat(run.run.started_at).timestamp()


def _class(distance_s: float) -> str:
    return next((f"up to {name}" for name, end_s in CLASSES if distance_s <= end_s), OLDER)


def _half_squares(runs: Sequence[RunFile], metric: str) -> dict[tuple[str, str], float]:
    """Return half the squared difference of each two runs, as the mean over the cases that both have."""
    by_pair: dict[tuple[str, str], list[float]] = {}
    for run_logs in trials_by_case(runs, METRICS[metric]).values():
        means = {run: fmean(logs) for run, logs in run_logs.items()}
        for pair in combinations(means, 2):
            by_pair.setdefault(pair, []).append((means[pair[0]] - means[pair[1]]) ** 2 / 2)
    return {pair: fmean(values) for pair, values in by_pair.items()}


def _without_falls(classes: Sequence[DriftAtAge]) -> list[DriftAtAge]:
    """Pool adjacent classes until none is below the one before: isotonic regression by adjacent violators."""
    pooled: list[list[DriftAtAge]] = []
    for each in classes:
        pooled.append([each])
        while len(pooled) > 1 and _mean(pooled[-2]) > _mean(pooled[-1]):
            pooled[-2:] = [pooled[-2] + pooled[-1]]
    return [DriftAtAge(_mean(group), each.degrees, each.apart, each.runs) for group in pooled for each in group]


def _mean(group: Sequence[DriftAtAge]) -> float:
    weight = math.fsum(each.degrees for each in group)
    return math.fsum(each.degrees * each.value for each in group) / weight


def drift_at(runs: Sequence[RunFile], metric: str, age_s: float) -> Variance | None:
    """Return the drift between two runs that are `age_s` seconds apart; None if fewer than 5 runs can tell.

    Where too few runs are at that distance, those further apart tell; and where none is, all about their mean.
    """
    components = variance_components(runs, metric)
    if components is None:
        return None
    at_least = _NAMES.index(_class(age_s))
    for each in drift_by_age(runs, metric):
        if _NAMES.index(each.apart) >= at_least and each.degrees >= MIN_DEGREES:
            return each
    return components.runs


def drifts_between(runs: Sequence[RunFile], a: RunFile, b: RunFile) -> Mapping[str, Variance]:
    """Return the drift between `a` and `b` by metric, without those that too few `runs` of their machine can tell."""
    age_s = abs(_start_s(b) - _start_s(a))
    drifting = [key for key, metric in METRICS.items() if metric.drifts]
    return {key: drift for key in drifting if (drift := drift_at(runs, key, age_s)) is not None} if runs else {}


@dataclass(frozen=True)
class TimeOfDay:
    """How a metric swings with the hour."""

    swing: float
    """Half the distance from the fastest to the slowest hour, log scale."""
    p: float
    """Probability of such a swing, or a larger one, if the hour did not matter (F test)."""
    runs: int


def time_of_day(runs: Sequence[RunFile], metric: str) -> TimeOfDay | None:
    """Return the swing of `metric` over the day: sine and cosine of 24 hours, by least squares. None below 20 runs.

    A run's value is the mean over cases of its log, each case about its own mean.
    """
    import numpy as np
    from scipy.special import fdtrc

    starts = {run.run.id: _start_s(run) for run in runs if run.machine.fingerprint == runs[-1].machine.fingerprint}
    values: dict[str, list[float]] = {run: [] for run in starts}
    for run_logs in trials_by_case([r for r in runs if r.run.id in starts], METRICS[metric]).values():
        means = {run: fmean(logs) for run, logs in run_logs.items()}
        for run, mean in means.items():
            values[run].append(mean - fmean(means.values()))
    y = np.array([fmean(each) for each in values.values() if each])
    if len(y) < TIME_OF_DAY_RUNS:
        return None
    angle = 2 * math.pi / DAY_S * np.array([starts[run] for run, each in values.items() if each])
    design = np.column_stack([np.ones_like(angle), np.cos(angle), np.sin(angle)])
    coefficients, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    residual, total = float(np.sum((y - design @ coefficients) ** 2)), float(np.sum((y - y.mean()) ** 2))
    degrees = len(y) - 3
    if rank < 3 or residual <= 0:  # all at one hour
        return None
    p = float(fdtrc(2, degrees, (total - residual) / 2 / (residual / degrees)))
    return TimeOfDay(float(np.hypot(coefficients[1], coefficients[2])), p, len(y))
