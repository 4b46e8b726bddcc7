"""Ratios of cases: framework against framework, and run against run, each with its interval.

Trials are independent, so a ratio of geometric means has Welch's t interval on the log scale (B. L. Welch, "The
generalization of Student's problem", Biometrika 34, 1947). An estimate is never held against a measurement.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reports.model.cases import CaseView, Group
from suite.frameworks import FRAMEWORKS
from suite.results.charge import charges, window_length_s
from suite.results.records import Trial
from suite.results.stats import CONFIDENCE, t_quantile


@dataclass(frozen=True)
class Ratio:
    """One value over another."""

    value: float | None
    """None where the two may not be compared, with the reason."""
    low: float | None = None
    """95 % interval; None where either rests on one trial."""
    high: float | None = None
    reason: str = ""
    log_error: float | None = None
    """Standard error of its logarithm."""
    degrees: float = math.inf
    """Degrees of freedom of that error."""

    @property
    def verdict(self) -> str:
        """What the interval allows to say: `more`, `less`, `no difference shown`, `no interval`, `not comparable`."""
        if self.value is None:
            return "not comparable"
        if self.low is None or self.high is None:
            return "no interval"
        return "more" if self.low > 1 else "less" if self.high < 1 else "no difference shown"

    @property
    def inverse(self) -> Ratio:
        """The other over the one."""
        if self.value is None:
            return self
        low = None if self.high is None else 1 / self.high
        high = None if self.low is None else 1 / self.low
        return Ratio(1 / self.value, low, high, self.reason, self.log_error, self.degrees)


@dataclass(frozen=True)
class Pair:
    """Two cases of the same work, and how they relate: `one` over `other`."""

    one: CaseView
    other: CaseView
    throughput: Ratio
    energy: Ratio
    """Of joules per item."""
    alike: bool
    """Whether both modes are of one class (eager, graph, compiled)."""
    default: bool
    """Whether both run in the mode that most of their framework's users run."""


def framework_pairs(cases: Sequence[CaseView]) -> tuple[Pair, ...]:
    """Pairs of two frameworks on the same work, settings and machine: of like modes, and of the default modes."""
    places: dict[Group, list[CaseView]] = defaultdict(list)
    for view in cases:
        if view.current and view.case.summary is not None:
            places[(view.machine, *view.work, *view.settings)].append(view)
    return tuple(
        made
        for found in places.values()
        for i, one in enumerate(found)
        for other in found[i + 1 :]
        if one.case.framework != other.case.framework
        and one.case.workload_version == other.case.workload_version
        and ((made := pair(one, other)).alike or made.default)
    )


def pair(one: CaseView, other: CaseView) -> Pair:
    """`one` over `other`."""
    classes = [_mode_class(view) for view in (one, other)]
    return Pair(
        one,
        other,
        throughput=ratio(rates(one), rates(other)),
        energy=_energy_ratio(one, other),
        alike=classes[0] == classes[1],
        default=all(_is_default(view) for view in (one, other)),
    )


def ratio(ones: Sequence[float], others: Sequence[float]) -> Ratio:
    """Ratio of the geometric means of two samples of positive values, with its interval."""
    if not ones or not others:
        return Ratio(None, reason="one of the two was not measured" if ones or others else "it was not measured")
    logs = [[math.log(value) for value in values] for values in (ones, others)]
    centre = statistics.fmean(logs[0]) - statistics.fmean(logs[1])
    if min(len(ones), len(others)) < 2:
        return Ratio(math.exp(centre), reason="n=1, no interval")
    errors = [statistics.variance(values) / len(values) for values in logs]
    return _from_logs(centre, errors, [len(values) - 1 for values in logs])


def overall(ratios: Sequence[Ratio]) -> Ratio:
    """Geometric mean of some ratios. Its interval holds for this selection: it is from the trials alone."""
    known = [r for r in ratios if r.value is not None]
    if not known:
        return Ratio(None, reason="; ".join(dict.fromkeys(r.reason for r in ratios)) or "nothing to compare")
    centre = statistics.fmean(math.log(r.value) for r in known if r.value is not None)
    errors = [(r.log_error / len(known)) ** 2 for r in known if r.log_error is not None]
    if len(errors) < len(known):
        return Ratio(math.exp(centre), reason="n=1, no interval")
    return _from_logs(centre, errors, [r.degrees for r in known])


def _from_logs(centre: float, errors: Sequence[float], degrees: Sequence[float]) -> Ratio:
    """The ratio whose logarithm is `centre` with independent squared `errors` (Satterthwaite's degrees of freedom)."""
    total = math.fsum(errors)
    if total == 0:
        return Ratio(math.exp(centre), math.exp(centre), math.exp(centre), log_error=0.0)
    freedom = total**2 / math.fsum(error**2 / free for error, free in zip(errors, degrees, strict=True))
    half = t_quantile((1 + CONFIDENCE) / 2, freedom) * math.sqrt(total)
    ends = math.exp(centre - half), math.exp(centre + half)
    return Ratio(math.exp(centre), *ends, log_error=math.sqrt(total), degrees=freedom)


def rates(view: CaseView) -> list[float]:
    """Items a second of each trial that counted."""
    return _values(view.trials, lambda trial: trial.items / window_length_s(trial))


def energies(view: CaseView) -> list[float]:
    """Joules an item of each trial that counted and was charged."""
    return [c.energy_j / c.trial.items for c in charges(view.trials).charged if c.trial.items > 0]


def _values(trials: Sequence[Trial], value: Callable[[Trial], float]) -> list[float]:
    return [value(trial) for trial in trials if window_length_s(trial) > 0 and trial.items > 0]


def _energy_ratio(one: CaseView, other: CaseView) -> Ratio:
    kinds = [view.quantity("energy_per_item_j").kind for view in (one, other)]
    if (kinds[0] == "model") != (kinds[1] == "model"):
        return Ratio(None, reason="one is measured, the other estimated")
    lacks = [view.quantity("energy_per_item_j").lower_bound for view in (one, other)]
    if lacks[0] != lacks[1]:
        return Ratio(None, reason="one lacks a part of its energy")
    return ratio(energies(one), energies(other))


def _mode_class(view: CaseView) -> str:
    known = FRAMEWORKS.get(view.case.framework)
    return known.modes.get(view.case.mode, view.case.mode) if known else view.case.mode


def _is_default(view: CaseView) -> bool:
    known = FRAMEWORKS.get(view.case.framework)
    return known is not None and known.default_mode == view.case.mode
