"""What a run file cannot be, though each of its fields is of the right type: a file that somebody changed by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from joulemark.suite.records.case import Case, Quantity, Summary, Trial
from joulemark.suite.records.run import RunFile

_MAY_BE_0: Final = "emissions_g_per_1000_items"
"""Of a grid without emissions; every other value of a summary is a geometric mean."""


def contradictions(run_file: RunFile) -> Iterator[tuple[str, str]]:
    """Places in the file, and what is wrong there."""
    for name in ("started_at", "finished_at"):
        text = getattr(run_file.run, name)
        if text is not None and not _is_time(text):
            yield f"run.{name}", f"{text!r} is no ISO 8601 time with an offset"
    for i, part in enumerate(run_file.emissions.intervals):
        for name, text in (("start", part.start), ("end", part.end)):
            if not _is_time(text):
                yield f"emissions.intervals.{i}.{name}", f"{text!r} is no ISO 8601 time with an offset"
    for i, idle in enumerate(run_file.idle):
        if idle.window_s[1] < idle.window_s[0]:
            yield f"idle.{i}.window_s", "the window ends before it begins"
    seen: set[str] = set()
    for i, case in enumerate(run_file.cases):
        place = f"cases.{i} ({case.id})"
        if case.id in seen:
            yield place, "another case has the same id"
        seen.add(case.id)
        yield from ((f"{place}: {where}", what) for where, what in _of_case(case))


def _of_case(case: Case) -> Iterator[tuple[str, str]]:
    for i, trial in enumerate(case.trials):
        window_s = trial.window_s
        if window_s is not None and (window_s[1] < window_s[0] or (trial.status == "ok" and not _length_s(trial))):
            yield f"trials.{i}.window_s", f"the window {list(window_s)} does not end after it begins"
    if case.summary is None:
        return
    for name in Summary.model_fields:
        yield from ((f"summary.{name}", what) for what in _of_quantity(getattr(case.summary, name), name == _MAY_BE_0))
    # Only what follows from a trial's clock alone: the rest takes the rules by which energy is charged.
    usable = [trial for trial in case.trials if trial.status == "ok" and trial.items and trial.steps]
    rates = [trial.items / _length_s(trial) for trial in usable if _length_s(trial) > 0]
    found = case.summary.throughput
    if found.n != len(rates):
        yield "summary.throughput.n", f"it rests on {found.n} trials, and {len(rates)} are ok"
    elif found.value is not None and not _between(min(rates), found.value, max(rates)):
        yield (
            "summary.throughput.value",
            f"{found.value:g} lies outside of its trials' {min(rates):g} to {max(rates):g}",
        )


def _of_quantity(found: Quantity, may_be_0: bool) -> Iterator[str]:
    if found.value is None:
        return
    if found.value < 0 or (found.value == 0 and not may_be_0):
        yield f"{found.value:g} is not positive"
    if (found.low is None) != (found.high is None):
        yield "the interval has one end"
    elif found.low is not None and found.high is not None and not _between(found.low, found.value, found.high):
        yield f"{found.value:g} lies outside of its interval [{found.low:g}, {found.high:g}]"


def _between(low: float, value: float, high: float) -> bool:
    """Whether low <= value <= high, but for rounding."""
    return (low <= value or math.isclose(low, value)) and (value <= high or math.isclose(value, high))


def _length_s(trial: Trial) -> float:
    return trial.window_s[1] - trial.window_s[0] if trial.window_s is not None else 0.0


def _is_time(text: str) -> bool:
    """Whether it says when; a time without an offset does not, and cannot be set against one that has it."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
