"""What a sweep found: the Pareto front, the best settings as sets, and what the best one gains over the default. Pure.

The rounds of all settings choose; the rounds after them, of the default and the chosen settings only, say what these
gain. Measured in the rounds that it was chosen by, the lowest of several looks lower than it is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, Literal

from joulemark.suite.energy.attribution import is_estimated
from joulemark.suite.records import SWEPT_FIELDS, Case, RunFile
from joulemark.suite.stats.intervals import CONFIDENCE, standard_deviation
from joulemark.suite.stats.pairs import CASE_FIELDS
from joulemark.suite.stats.sweep.points import Point, energy_refusal, node_source, point, sweeps_limits, unranked_reason
from joulemark.suite.stats.sweep.selection import (
    Logs,
    beaten,
    excess_over_lowest,
    excess_over_lowest_within,
    lowest,
    lowest_within,
    pareto_front,
    time_margin,
)
from joulemark.suite.stats.variance import Effect, Variance

Goal = Literal["joules", "node_joules", "delay_product", "speed"]
_COSTS: Final[Mapping[Goal, Callable[[Point], Logs]]] = {
    "joules": lambda each: each.joules,
    "node_joules": lambda each: each.node_joules,
    "delay_product": lambda each: each.delay_products,
    "speed": lambda each: each.times,
}
_BY_ENERGY: Final[tuple[Goal, ...]] = ("joules", "node_joules", "delay_product")
_BY_SPEED: Final[tuple[Goal, ...]] = ("speed",)
"""Where no energy may be compared."""


@dataclass(frozen=True)
class Ratio:
    """A setting over the default."""

    value: float
    low: float | None
    """None, as `high`, after a single round."""
    high: float | None


@dataclass(frozen=True)
class Gain:
    """What a setting gains over the default, in rounds of their own; both intervals hold together at 95 %."""

    energy: Ratio | None
    """None where settings are ranked by speed alone."""
    speed: Ratio
    rounds: int


@dataclass(frozen=True)
class Choice:
    """The best setting by one goal."""

    goal: Goal
    best: Point
    candidates: tuple[Point, ...]
    """The settings that cannot be told apart from it: they hold the true best one with probability 95 % or more."""
    excess: float | None
    """By which share the cost of `best` exceeds that of the true best one at most, with probability 95 %; None after a
    single round."""
    gain: Gain | None
    """None where the best is the default, and where rounds of their own are missing."""

    @property
    def is_estimated(self) -> bool:
        """Whether it ranks joules of a model."""
        return self.goal in ("joules", "delay_product") and self.best.is_estimated


@dataclass(frozen=True)
class TaskSweep:
    """All settings of one task."""

    task: str
    """What its cases share, as in an id."""
    points: tuple[Point, ...]
    front: frozenset[str]
    """Ids of the cases on the Pareto front of time and joules."""
    beaten: frozenset[str]
    """Ids of those that are off the true front with probability 95 % or more."""
    choices: Mapping[Goal, Choice]
    reasons: tuple[str, ...]
    """Why settings are left out, or why there is no choice."""
    unranked: str | None
    """Why joules are not ranked; None where they are, and where there is no choice at all."""
    host: str | None
    """Where the watts of the whole machine come from, or why they do not count; None if they are not known."""

    @property
    def default(self) -> Point | None:
        """The default settings; None if they could not be measured."""
        return next((each for each in self.points if each.is_default), None)


def analyse(run_file: RunFile) -> tuple[TaskSweep, ...]:
    """Return what was found for each task of a sweep; nothing for other runs."""
    tasks: dict[tuple[object, ...], list[Case]] = defaultdict(list)
    swept = {SWEPT_FIELDS[key] for key in run_file.settings.over}
    for case in run_file.cases if swept else ():
        tasks[tuple(getattr(case, name) for name in CASE_FIELDS if name not in swept)].append(case)
    return tuple(_analyse(cases, run_file) for cases in tasks.values())


def to_confirm(run_file: RunFile) -> frozenset[str]:
    """Return the ids of the cases that get rounds of their own: of each task the best settings, and the default."""
    ids: set[str] = set()
    for sweep in analyse(run_file):
        best = {choice.best.case.id for choice in sweep.choices.values()}
        if sweep.default is not None and best - {sweep.default.case.id}:
            ids |= best | {sweep.default.case.id}
    return frozenset(ids)


def _analyse(cases: Sequence[Case], run_file: RunFile) -> TaskSweep:
    rounds = run_file.run.rounds
    found = {case.id: point(case, run_file, range(1, rounds + 1)) for case in cases}
    points = [each for each in found.values() if each is not None]
    reasons = [f"{case.id}: {case.reason or 'no trial is usable'}" for case in cases if found[case.id] is None]
    judged, refused = _judged(points, run_file)
    reasons += refused
    has_default = any(each.is_default for each in points)
    by_speed = has_default and not judged and not sweeps_limits(run_file.settings)
    goals, ranked = (_BY_SPEED, points) if by_speed else (_BY_ENERGY, judged)
    costs, times = [each.joules for each in judged], [each.times for each in judged]
    means = [(fmean(each.times.values()), fmean(each.joules.values())) for each in judged]
    return TaskSweep(
        task=_task(cases),
        points=tuple(points),
        front=frozenset(judged[i].case.id for i in pareto_front(means)),
        beaten=frozenset(judged[i].case.id for i in beaten(costs, times)),
        choices={goal: choice for goal in goals if (choice := _choice(goal, ranked, run_file)) is not None},
        reasons=tuple(reasons),
        unranked=unranked_reason(points, run_file) if has_default and not judged else None,
        host=_host(judged, run_file),
    )


def _judged(points: Sequence[Point], run_file: RunFile) -> tuple[list[Point], list[str]]:
    """Return the settings whose energy can be compared with that of the default, and why others cannot."""
    default = next((each for each in points if each.is_default and each.joules), None)
    if default is None:
        has_default = any(each.is_default for each in points)
        return [], [] if has_default else ["no trial of the default settings is usable: nothing to compare others with"]
    judged, reasons = [], []
    for each in points:
        reason = energy_refusal(each.case, run_file) if not each.joules else None
        if reason is None and each.components != default.components:
            reason = f"its joules are those of {', '.join(sorted(each.components))} only"
        if reason is None:
            judged.append(each)
        else:
            reasons.append(f"{each.case.id}: {reason}")
    return judged, reasons


def _task(cases: Sequence[Case]) -> str:
    """Return the parts of the ids that all cases share."""
    parts = [case.id.partition("+")[0].split("/") for case in cases]
    return "/".join(names[0] for names in zip(*parts, strict=True) if len(set(names)) == 1)


def _host(points: Sequence[Point], run_file: RunFile) -> str | None:
    if points and run_file.settings.host_watts is not None and all(is_estimated(each.case) for each in points):
        return "not compared, since the joules are estimated, maybe with the rest of it"
    if not points or not all(each.node_joules for each in points):
        return None
    source = node_source(points[0].case)
    return f"measured ({source})" if source else f"{run_file.settings.host_watts:g} W assumed beside what is measured"


def _choice(goal: Goal, points: Sequence[Point], run_file: RunFile) -> Choice | None:
    """Return the best of `points` by `goal`; None if one of them lacks its cost."""
    costs, times = [_COSTS[goal](each) for each in points], [each.times for each in points]
    if not points or not all(costs):
        return None
    default = next(i for i, each in enumerate(points) if each.is_default)
    indices: Sequence[int] = range(len(points))
    slowdown = run_file.settings.slowdown
    if goal in ("joules", "node_joules"):
        limit = fmean(times[default].values()) + time_margin(slowdown)
        indices = [i for i in indices if i == default or fmean(times[i].values()) <= limit]
    best = min(indices, key=lambda i: fmean(costs[i].values()))
    if goal in ("joules", "node_joules"):
        candidates = lowest_within(costs, times, default, slowdown)
        excess = excess_over_lowest_within(costs, times, default, slowdown, best)
    else:
        candidates, excess = lowest(costs), excess_over_lowest(costs, best)
    return Choice(
        goal=goal,
        best=points[best],
        candidates=tuple(points[i] for i in sorted(candidates)),
        excess=math.expm1(excess) if math.isfinite(excess) else None,
        gain=None if best == default else _gain(goal, points[best].case, points[default].case, run_file),
    )


def _gain(goal: Goal, best: Case, default: Case, run_file: RunFile) -> Gain | None:
    """Return what `best` gains over `default` in the rounds after those that chose it; None where there are none."""
    later = range(run_file.run.rounds + 1, (run_file.run.max_rounds or 0) + 1)
    ours, theirs = point(best, run_file, later), point(default, run_file, later)
    if ours is None or theirs is None:
        return None
    speed = [-difference for difference in _differences(ours.times, theirs.times)]
    alpha = 1 - CONFIDENCE
    if goal == "speed":
        return Gain(None, _ratio(speed, alpha), len(speed)) if speed else None
    joules = _COSTS["node_joules" if goal == "node_joules" else "joules"]
    energy = _differences(joules(ours), joules(theirs))
    if not energy or not speed:
        return None
    return Gain(_ratio(energy, alpha / 2), _ratio(speed, alpha / 2), len(speed))  # both hold together (Bonferroni)


def _differences(ours: Logs, theirs: Logs) -> list[float]:
    return [ours[number] - theirs[number] for number in sorted(ours.keys() & theirs.keys())]


def _ratio(differences: Sequence[float], alpha: float) -> Ratio:
    """Return the ratio with its interval, which misses the true one with probability `alpha`."""
    mean, n = fmean(differences), len(differences)
    if n < 2:
        return Ratio(math.exp(mean), None, None)
    variance = Variance(standard_deviation(differences) ** 2 / n, n - 1.0)
    low, high = Effect(mean, variance).interval(alpha)
    return Ratio(math.exp(mean), math.exp(low), math.exp(high))
