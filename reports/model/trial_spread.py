"""Every trial relative to its case, and the machine's noise floor beside them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView
from joulemark.suite.records import Floor, RunFile


@dataclass(frozen=True)
class TrialPoint:
    """One trial that counts."""

    round: int
    at_s: float
    """Middle of its window, seconds since the start of the run."""
    rate: float
    """Items per second."""
    deviation: float
    """Its rate over the case's geometric mean, minus 1."""
    steady: bool


@dataclass(frozen=True)
class FloorPoint:
    """One run of the fixed loop of the noise floor."""

    at_s: float
    arithmetic: float
    """Speed over the median, minus 1."""
    copy: float


def trial_points(view: CaseView) -> tuple[TrialPoint, ...]:
    """Return the trials of a case in the order of their rounds."""
    mean = view.quantity("throughput").value
    if not mean:
        return ()
    points = []
    for trial in sorted(view.trials, key=lambda trial: trial.round):
        if trial.window_length_s > 0 and trial.items > 0 and trial.window_s is not None:
            rate = trial.items / trial.window_length_s
            middle_s = (trial.window_s[0] + trial.window_s[1]) / 2
            points.append(TrialPoint(trial.round, middle_s, rate, rate / mean - 1, trial.steady != "drifting"))
    return tuple(points)


def floor_points(run_file: RunFile) -> tuple[FloorPoint, ...]:
    """Return the runs of the fixed loop as speeds relative to their median."""
    if not run_file.floor:
        return ()
    arithmetic_s = statistics.median(entry.arithmetic_s for entry in run_file.floor)
    copy_s = statistics.median(entry.copy_s for entry in run_file.floor)
    return tuple(FloorPoint(e.at_s, arithmetic_s / e.arithmetic_s - 1, copy_s / e.copy_s - 1) for e in run_file.floor)


def floor_variation(floor: Sequence[Floor]) -> float | None:
    """Return the larger coefficient of variation of arithmetic and copy; None for fewer than two entries."""
    if len(floor) < 2:
        return None
    times_s = [entry.arithmetic_s for entry in floor], [entry.copy_s for entry in floor]
    return max(statistics.stdev(values) / statistics.fmean(values) for values in times_s)
