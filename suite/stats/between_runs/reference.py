"""Divide out how fast a machine is in one run against another, by the reference that both have measured. Pure.

The reference is the loop of the noise floor (`records.Floor`): code that never changes, run several times a round. How
much a case follows it is estimated from the machine's own runs: the slope of the case's log speed over the log speed of
the reference. Errors of the reference make this slope smaller, as they should: it is the one that predicts best.

The slope b, with standard error s, is shrunk by 1 - 2 (s / b)^2, and is 0 within 1.4 standard errors of 0 (the
nonnegative garrote of L. Breiman, "Better subset regression using the nonnegative garrote", Technometrics 37, 1995). A
case that does not follow the reference, or whose history is too short to show it, is compared as if there were none:
the intervals are then up to 5 % wider on average. The error of the slope is part of the interval, with the degrees of
freedom of a regression. docs/history.md has the simulated coverage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.drift import MIN_RUNS, trials_by_case
from joulemark.suite.stats.metrics import METRICS, Metric
from joulemark.suite.stats.variance import Variance

SQUARED_ERRORS: Final = 2.0
"""A slope whose square is within so many squared standard errors of 0 is not used."""


@dataclass(frozen=True)
class Level:
    """How fast the reference was in one run."""

    log_speed: float
    """Mean of the logs of both loops' speeds."""
    label: str
    """What the reference is; two of different labels are not compared."""


def reference_level(run_file: RunFile) -> Level | None:
    """Return how fast the reference of a run was; None if it has none, or several."""
    entries = [entry for entry in run_file.floor if entry.reference is not None]
    labels = {entry.reference for entry in entries}
    if len(labels) != 1:
        return None
    log_times = [(math.log(entry.arithmetic_s) + math.log(entry.copy_s)) / 2 for entry in entries]
    return Level(-fmean(log_times), str(*labels))


@dataclass(frozen=True)
class Fit:
    """How one metric of a case follows the reference over the runs of a machine."""

    slope: float
    """Of the metric's log over the reference's log speed, shrunk; 0 where the case does not follow it."""
    residual: Variance
    """Of a run's mean about the line."""
    centre: float
    """Mean log speed of the reference over the runs."""
    spread: float
    """Sum of squares of the log speeds about their mean."""
    runs: int

    def drift(self, baseline: Sequence[float], judged: float) -> Variance:
        """Return the variance that is left between the mean of runs with the reference at `baseline` and a run with it
        at `judged`: two errors about the line, and the error of its slope."""
        distance = max((judged - fmean(baseline)) ** 2, (judged - self.centre) ** 2) if self.slope else 0.0
        factor = 1 + 1 / len(baseline) + distance / self.spread
        return Variance(self.residual.value * factor, self.residual.degrees)


def fit_line(x: Sequence[float], y: Sequence[float], sign: float = 1.0) -> Fit | None:
    """Return how `y` follows `x` over runs; None for fewer than 5 runs, or if `x` or `y` does not vary.

    A slope against `sign` counts as 0: a slow machine makes nothing faster.
    """
    n = len(x)
    if n < MIN_RUNS:
        return None
    centre, mean = fmean(x), fmean(y)
    spread = math.fsum((each - centre) ** 2 for each in x)
    total = math.fsum((each - mean) ** 2 for each in y)
    if spread <= 0 or total <= 0:
        return None
    slope = math.fsum((xi - centre) * (yi - mean) for xi, yi in zip(x, y, strict=True)) / spread
    residual = max(0.0, total - slope**2 * spread)
    squared_error = residual / (n - 2) / spread
    shrunk = 0.0
    if slope * sign > 0:
        shrunk = max(0.0, 1 - SQUARED_ERRORS * squared_error / slope**2)
    # What chance may have explained counts as unexplained: with `shrunk` as the weight, intervals hold less than 95 %.
    weight = shrunk**2
    left = weight * residual + (1 - weight) * total
    degrees = n - 2.0 if shrunk > 0 else n - 1.0
    return Fit(shrunk * slope, Variance(left / (n - 1 - weight), degrees), centre, spread, n)


@dataclass(frozen=True)
class Divided:
    """What the reference says of one metric of a pair of runs, and what is left without it."""

    log_ratio: float
    """Log speed of the reference in B over that in A."""
    slope: float
    drift: Variance
    """Of the log ratio between the runs, beyond what is divided out."""
    runs: int
    """Runs that the slope is estimated from."""


@dataclass(frozen=True)
class References:
    """The references of a machine's runs, and how its cases follow them."""

    levels: Mapping[str, Level]
    """By run id."""
    fits: Mapping[tuple[str, str], Fit]
    """By metric and case id."""

    def divided(self, metric: str, case: Case, baseline: Sequence[str], judged: str) -> Divided | None:
        """Return what the reference says of `case` between the runs with the ids `baseline` and `judged`.

        None if one of them has none, or another one, and if too few runs have shown whether the case follows it.
        """
        fit = self.fits.get((metric, case.id))
        levels = [self.levels.get(run) for run in (*baseline, judged)]
        known = [level for level in levels if level is not None]
        if fit is None or fit.slope == 0 or len(known) < len(levels) or len({level.label for level in known}) > 1:
            return None
        *before, after = (level.log_speed for level in known)
        return Divided(after - fmean(before), fit.slope, fit.drift(before, after), fit.runs)

    def speed_ratio(self, baseline: Sequence[str], judged: str) -> float | None:
        """Return how fast the reference was in `judged` against the runs `baseline`; None if it cannot be compared."""
        levels = [self.levels.get(run) for run in (*baseline, judged)]
        if any(level is None for level in levels) or len({level.label for level in levels if level}) != 1:
            return None
        *before, after = (level.log_speed for level in levels if level is not None)
        return math.exp(after - fmean(before))


NO_REFERENCES: Final = References({}, {})


def fit_references(runs: Sequence[RunFile], compared: Sequence[RunFile]) -> References:
    """Return the references of `compared`, and how the cases of the last one's machine follow them over `runs`.

    Of the runs, those count that have the reference of the last run compared. Only cases on the CPU can follow it: it
    says nothing of a GPU.
    """
    levels = {run.run.id: level for run in (*runs, *compared) if (level := reference_level(run)) is not None}
    own = levels.get(compared[-1].run.id)
    if own is None:
        return References(levels, {})
    alike = [run for run in runs if run.run.id in levels and levels[run.run.id].label == own.label]
    fits: dict[tuple[str, str], Fit] = {}
    for key, metric in METRICS.items():
        if metric.drifts:
            fits |= {(key, case): fit for case, fit in _fits(alike, metric, levels).items()}
    return References(levels, fits)


def _fits(runs: Sequence[RunFile], metric: Metric, levels: Mapping[str, Level]) -> dict[str, Fit]:
    """Return how `metric` of each case on the CPU follows the reference, by case id."""
    sign = 1.0 if metric.better == "higher" else -1.0
    devices = {case.id: case.device for run in runs for case in run.cases}
    fits = {}
    for key, run_logs in trials_by_case(runs, metric).items():
        speeds = [levels[run].log_speed for run in run_logs]
        fit = fit_line(speeds, [fmean(logs) for logs in run_logs.values()], sign)
        if fit is not None and devices[key.case] == "cpu":
            fits[key.case] = fit
    return fits
