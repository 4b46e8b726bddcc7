"""The counts of a case, from all its trials that counted. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from joulemark.suite.records import COUNTS, Case, CountKind


@dataclass(frozen=True)
class StepCount:
    """One count of a case."""

    kind: CountKind
    values: tuple[float, ...]
    """One for each trial that has it."""
    missing_reason: str | None
    """Why a trial has no value; None if all have one."""

    @property
    def mean(self) -> float | None:
        """The mean of all trials; None without any value."""
        return math.fsum(self.values) / len(self.values) if self.values else None

    @property
    def value(self) -> float | None:
        """The value of all trials, or their mean for a count that is not exact; None, with a reason, without one."""
        return self.mean if self.reason is None else None

    @property
    def reason(self) -> str | None:
        """Why there is no single value; None if there is one."""
        return self.missing_reason or self.disagreement

    @property
    def disagreement(self) -> str | None:
        """How far trials disagree in a count that is exact; None if they agree."""
        if not self.kind.exact or len(set(self.values)) <= 1:
            return None
        unit = f" {self.kind.unit}" if self.kind.unit else ""
        return f"its trials disagree: {min(self.values):,.0f} to {max(self.values):,.0f}{unit}"


def step_counts(case: Case) -> Mapping[str, StepCount]:
    """Return the counts of `case` by key, in the order of COUNTS; without those that no trial has."""
    counted = [trial.work.counts for trial in case.ok_trials if trial.work is not None]
    counts = {}
    for key, kind in COUNTS.items():
        of_trials = [counts_of_trial[key] for counts_of_trial in counted if key in counts_of_trial]
        if of_trials:
            values = tuple(count.value for count in of_trials if count.value is not None)
            missing = [count.reason or "it was not counted" for count in of_trials if count.value is None]
            counts[key] = StepCount(kind, values, missing[0] if missing else None)
    return counts
