"""Find what cannot be true in a run file whose fields all have the right type and size. Pure.

Each problem is a field's path and a sentence. What a summary says is held against its trials by `results.run_files`,
which knows the rules of energy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Final

from joulemark.suite.records.case import Case
from joulemark.suite.records.checks import responses
from joulemark.suite.records.energy import EnergyReading
from joulemark.suite.records.run import MAX_ANALYSES, RunFile
from joulemark.suite.records.trial import Trial
from joulemark.suite.records.work import COUNTS, WorkCount

Problem = tuple[str, str]

_RUN_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,199}", re.ASCII)
"""A run's id is the name of its file."""

MIN_ENERGY_J: Final = 1e-9
MAX_ENERGY_J: Final = 1e15
"""The least that a sensor resolves, far less than a microjoule, and what ten thousand machines of a kilowatt use in
three years."""

MAX_ERROR_J: Final = 1e30

MIN_WINDOW_S: Final = 1e-6
"""Less than any clock that a step could be timed with."""

MIN_READ_S: Final = 1e-9
"""Less than a read of any sensor takes."""

_ROUNDING: Final = 1e-6
"""Share, and seconds, by which sums of rounded numbers may miss."""


def contradictions(run_file: RunFile) -> Iterator[Problem]:
    """Yield places in the file, each with what is wrong there."""
    yield from _run_problems(run_file)
    yield from _emissions_problems(run_file)
    for i, idle in enumerate(run_file.idle):
        yield from _at(f"idle.{i}", _energy_problems(idle.energy))
    for i, trace in enumerate(run_file.traces):
        if any(later - earlier < MIN_READ_S for earlier, later in pairwise(trace.t_s)):
            yield f"traces.{i}.t_s", "the times do not increase, or by less than a read takes"
    ids: set[str] = set()
    for i, case in enumerate(run_file.cases):
        if case.id in ids:
            yield f"cases.{i}.id", f"another case has the same id, {case.id!r}"
        ids.add(case.id)
        yield from _at(f"cases.{i}", _case_problems(case, run_file))


def _at(place: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    return ((f"{place}.{where}", problem) for where, problem in problems)


def _run_problems(run_file: RunFile) -> Iterator[Problem]:
    run = run_file.run
    if not _RUN_ID.fullmatch(run.id):
        yield "run.id", f"{run.id[:60]!r} is no id: letters, digits, `.`, `_` and `-`, at most 200"
    times = yield from _times({"run.started_at": run.started_at, "run.finished_at": run.finished_at})
    if len(times) == 2 and times[1] < times[0]:
        yield "run.finished_at", "the run ends before it starts"
    if run.max_rounds is not None and run.max_rounds < run.rounds:
        yield "run.max_rounds", f"it is {run.max_rounds}, but run.rounds is {run.rounds}"
    elif run.max_rounds is not None and run.max_rounds > MAX_ANALYSES * run.rounds:
        yield "run.max_rounds", f"it is {run.max_rounds}, more than {MAX_ANALYSES} times run.rounds, {run.rounds}"


def _emissions_problems(run_file: RunFile) -> Iterator[Problem]:
    emissions = run_file.emissions
    for name, value, low, high in (
        ("intensity", emissions.intensity.g_per_kwh, emissions.intensity.low, emissions.intensity.high),
        ("pue", emissions.pue.value, emissions.pue.low, emissions.pue.high),
    ):
        yield from _at(f"emissions.{name}", _outside(value, low, high))
    for i, interval in enumerate(emissions.intervals):
        place = f"emissions.intervals.{i}"
        times = yield from _times({f"{place}.start": interval.start, f"{place}.end": interval.end})
        if len(times) == 2 and times[1] <= times[0]:
            yield f"{place}.end", "the interval does not end after it starts"


def _times(texts: Mapping[str, str | None]) -> Generator[Problem, None, list[datetime]]:
    """Yield those of `texts` that are no times, by their paths; return the times of the others."""
    times = []
    for place, text in texts.items():
        if text is None:
            continue
        time = _parsed(text)
        # Without an offset, it could not be compared with others; near the ends of time, an offset leads beyond them.
        if time is None or time.tzinfo is None or not 1970 < time.year < 9000:
            yield place, f"{text[:60]!r} is not an ISO 8601 time with an offset"
        else:
            times.append(time)
    return times


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _case_problems(case: Case, run_file: RunFile) -> Iterator[Problem]:
    named = (case.phase, case.framework, case.mode, case.device, case.precision)
    start = f"{case.workload_id}:{'/'.join((case.size, *named))}/b{case.batch_size}"
    if case.id != start and not case.id.startswith(f"{start}+"):
        yield "id", f"{case.id[:80]!r} does not begin with what the case's fields say, {start[:80]!r}"
    if case.parameters.trainable > case.parameters.total:
        yield "parameters.trainable", f"{case.parameters.trainable} of {case.parameters.total} parameters"
    yield from traffic_problems(case)
    yield from responses.case_problems(case)
    usable = any(trial.is_usable for trial in case.trials)
    if (case.status == "ok") != usable:
        yield "status", f"it is {case.status}, but {'a' if usable else 'no'} trial is ok"
    if (case.summary is not None) != usable:
        yield "summary", f"{'none' if usable else 'there is one'}, but {'a' if usable else 'no'} trial is ok"
    rounds: set[int] = set()
    for i, trial in enumerate(case.trials):
        if trial.round in rounds:
            yield f"trials.{i}.round", f"another trial is of round {trial.round}"
        rounds.add(trial.round)
        yield from _at(f"trials.{i}", trial_problems(trial, run_file.machine.memory_bytes))
    planned = run_file.run.max_rounds or run_file.run.rounds
    if len(case.trials) > planned:
        yield "trials", f"{len(case.trials)} trials in {planned} rounds"


def traffic_problems(case: Case) -> Iterator[Problem]:
    """Yield what cannot be true of a case's memory traffic, by the field's path."""
    least, unfused = case.bytes_per_item or 0.0, case.unfused_bytes_per_item
    if unfused is not None and unfused < least * (1 - _ROUNDING):
        yield "unfused_bytes_per_item", f"{unfused:g} bytes, less than the compulsory {least:g}"


def trial_problems(trial: Trial, memory_bytes: int) -> Iterator[Problem]:
    """Yield what cannot be true of a trial on a machine with `memory_bytes`, by the field's path."""
    if trial.status == "ok" and not (trial.steps and trial.items and trial.window_length_s >= MIN_WINDOW_S):
        yield "window_s", f"{trial.items} items and {trial.steps} steps in {trial.window_length_s:g} s, but it is ok"
    if trial.window_s is not None:
        blocks_s, length_s = math.fsum(trial.block_s), trial.window_length_s
        if blocks_s > length_s * (1 + _ROUNDING) + _ROUNDING:
            yield "block_s", f"blocks of {blocks_s:g} s in a window of {length_s:g} s"
    yield from _unordered(trial)
    if (peak := trial.peak_memory_bytes.get("host")) is not None and peak > memory_bytes > 0:
        yield "peak_memory_bytes.host", f"{peak} bytes on a machine with {memory_bytes}"
    yield from _energy_problems(trial.energy)
    yield from responses.trial_problems(trial)
    for name, part in trial.parts.items():
        yield from _at(f"parts.{name}", _energy_problems(part.energy))
    if trial.resident_idle is not None:
        yield from _at("resident_idle", _energy_problems(trial.resident_idle.energy))
    if trial.work is not None:
        yield from _at("work.counts", _count_problems(trial.work.counts))


def _count_problems(counts: Mapping[str, WorkCount]) -> Iterator[Problem]:
    for key, count in counts.items():
        if (count.value is None) == (count.reason is None):
            yield key, "it has neither a value nor a reason" if count.value is None else "it has a value and a reason"
        kind = COUNTS.get(key)
        if kind is None:
            continue
        if count.unit != kind.unit:
            yield f"{key}.unit", f"it is {count.unit[:20]!r}, not {kind.unit!r}"
        if kind.unit != "s" and count.value is not None and not count.value.is_integer():
            yield f"{key}.value", f"{count.value:g} is no whole number"
    peak, total = (counts[key].value if key in counts else None for key in ("peak_bytes", "allocated_bytes"))
    if peak is not None and total is not None and peak > total:
        yield "peak_bytes.value", f"{peak:g} bytes, but the step allocates {total:g} in all"


def _unordered(trial: Trial) -> Iterator[Problem]:
    begin_s, end_s = trial.window_s or (None, None)
    for name, earlier, later in (
        ("ended_s", trial.started_s, trial.ended_s),
        ("window_s", trial.started_s, begin_s),
        ("ended_s", end_s, trial.ended_s),
    ):
        if earlier is not None and later is not None and later < earlier - _ROUNDING:
            yield name, f"{later:g} s, after the trial or its window was at {earlier:g} s"


def _energy_problems(readings: tuple[EnergyReading, ...]) -> Iterator[Problem]:
    for i, reading in enumerate(readings):
        if reading.energy_j is None:
            continue
        if reading.energy_j and not MIN_ENERGY_J <= reading.energy_j <= MAX_ENERGY_J:
            yield f"energy.{i}.energy_j", f"{reading.energy_j:g} J is more or less than there can be"
        for name in ("high_j", "repeated_error_j"):
            if (getattr(reading, name) or 0.0) > MAX_ERROR_J:
                yield f"energy.{i}.{name}", f"{getattr(reading, name):g} J is more than there can be"
        yield from _at(f"energy.{i}", _outside(reading.energy_j, reading.low_j, reading.high_j, "_j"))


def _outside(value: float, low: float | None, high: float | None, unit: str = "") -> Iterator[Problem]:
    if low is not None and low > value * (1 + _ROUNDING):
        yield f"low{unit}", f"{low:g} is above the value, {value:g}"
    if high is not None and high < value * (1 - _ROUNDING):
        yield f"high{unit}", f"{high:g} is below the value, {value:g}"
