"""Every trial, relative to its case, and the machine's own variation beside them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView
from joulemark.suite.records import Floor, RunFile


@dataclass(frozen=True)
class Dot:
    """One trial that counted."""

    round: int
    at_s: float
    """Middle of its window, seconds since the start of the run."""
    rate: float
    """Items a second."""
    relative: float
    """Its rate over the case's geometric mean, less 1."""
    steady: bool


@dataclass(frozen=True)
class FloorDot:
    """One run of the fixed loop."""

    at_s: float
    arithmetic: float
    """Speed over the median, less 1."""
    copy: float


def dots(view: CaseView) -> tuple[Dot, ...]:
    """The trials of a case, in the order of their rounds."""
    mean = view.quantity("throughput").value
    if not mean:
        return ()
    found = []
    for trial in sorted(view.trials, key=lambda trial: trial.round):
        if trial.window_length_s > 0 and trial.items > 0 and trial.window_s is not None:
            rate = trial.items / trial.window_length_s
            middle = (trial.window_s[0] + trial.window_s[1]) / 2
            found.append(Dot(trial.round, middle, rate, rate / mean - 1, trial.steady != "drifting"))
    return tuple(found)


def floor_dots(run_file: RunFile) -> tuple[FloorDot, ...]:
    """The fixed loop's runs as speeds relative to their median."""
    if not run_file.floor:
        return ()
    arithmetic = statistics.median(entry.arithmetic_s for entry in run_file.floor)
    copy = statistics.median(entry.copy_s for entry in run_file.floor)
    return tuple(FloorDot(e.at_s, arithmetic / e.arithmetic_s - 1, copy / e.copy_s - 1) for e in run_file.floor)


def floor_spread(floor: Sequence[Floor]) -> float | None:
    """Coefficient of variation of the fixed loop, the larger of arithmetic and copy; None with fewer than two."""
    if len(floor) < 2:
        return None
    found = []
    for values in ([entry.arithmetic_s for entry in floor], [entry.copy_s for entry in floor]):
        found.append(statistics.stdev(values) / statistics.fmean(values))
    return max(found)
