"""Find contradictions in a run file whose fields all have the right type: somebody changed it by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from joulemark.suite.records.case import Case, Quantity, Summary
from joulemark.suite.records.run import RunFile

_MAY_BE_ZERO: Final = "emissions_g_per_1000_items"
"""Zero on a grid without emissions; every other value of a summary is a geometric mean."""


def contradictions(run_file: RunFile) -> Iterator[tuple[str, str]]:
    """Yield places in the file, each with what is wrong there."""
    yield from _wrong_times(run_file)
    for i, idle in enumerate(run_file.idle):
        if idle.window_s[1] < idle.window_s[0]:
            yield f"idle.{i}.window_s", "the window ends before it begins"
    ids: set[str] = set()
    for i, case in enumerate(run_file.cases):
        place = f"cases.{i} ({case.id})"
        if case.id in ids:
            yield place, "another case has the same id"
        ids.add(case.id)
        yield from ((f"{place}: {where}", problem) for where, problem in _case_problems(case))


def _wrong_times(run_file: RunFile) -> Iterator[tuple[str, str]]:
    times = {"run.started_at": run_file.run.started_at, "run.finished_at": run_file.run.finished_at}
    for i, interval in enumerate(run_file.emissions.intervals):
        times |= {f"emissions.intervals.{i}.start": interval.start, f"emissions.intervals.{i}.end": interval.end}
    for place, text in times.items():
        if text is not None and not _is_time(text):
            yield place, f"{text!r} is not an ISO 8601 time with an offset"


def _case_problems(case: Case) -> Iterator[tuple[str, str]]:
    for i, trial in enumerate(case.trials):
        length_s = trial.window_length_s
        if trial.window_s is not None and (length_s < 0 or (trial.status == "ok" and length_s == 0)):
            yield f"trials.{i}.window_s", f"the window {list(trial.window_s)} does not end after it begins"
    if case.summary is None:
        return
    for name in Summary.model_fields:
        problems = _quantity_problems(getattr(case.summary, name), name == _MAY_BE_ZERO)
        yield from ((f"summary.{name}", problem) for problem in problems)
    # Throughput follows from the trials' clock alone; the other values need the rules by which energy is attributed.
    rates = [trial.items / trial.window_length_s for trial in case.trials if trial.is_usable]
    throughput = case.summary.throughput
    if throughput.n != len(rates):
        yield "summary.throughput.n", f"it is the mean of {throughput.n} trials, but {len(rates)} are ok"
    elif throughput.value is not None and not _is_between(min(rates), throughput.value, max(rates)):
        limits = f"{min(rates):g} to {max(rates):g}"
        yield "summary.throughput.value", f"{throughput.value:g} lies outside its trials' {limits}"


def _quantity_problems(quantity: Quantity, may_be_zero: bool) -> Iterator[str]:
    if quantity.value is None:
        return
    if quantity.value < 0 or (quantity.value == 0 and not may_be_zero):
        yield f"{quantity.value:g} is not positive"
    if quantity.low is None or quantity.high is None:
        if quantity.low is not quantity.high:
            yield "the interval has one end"
    elif not _is_between(quantity.low, quantity.value, quantity.high):
        yield f"{quantity.value:g} lies outside its interval [{quantity.low:g}, {quantity.high:g}]"


def _is_between(low: float, value: float, high: float) -> bool:
    """Return whether low <= value <= high, apart from rounding."""
    return (low <= value or math.isclose(low, value)) and (value <= high or math.isclose(value, high))


def _is_time(text: str) -> bool:
    """Return whether `text` is a time with an offset; without one, it could not be compared with others."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
