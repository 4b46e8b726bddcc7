"""Find what cannot be true of responses in a run file. Pure; `run_file` asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from joulemark.suite.records.case import Case
from joulemark.suite.records.trial import Part, Trial

Problem = tuple[str, str]
MIN_WINDOW_S: Final = 1e-6
"""Less than any clock that a step could be timed with."""
_ROUNDING: Final = 1e-6
"""Seconds by which rounded times may miss."""


def case_problems(case: Case) -> Iterator[Problem]:
    """Yield what cannot be true of a case, by the field's path."""
    if (case.response is not None) != (case.phase == "response"):
        there = "none" if case.response is None else "there is one"
        yield "response", f"{there}, but the phase is {case.phase[:20]!r}"


def trial_problems(trial: Trial) -> Iterator[Problem]:
    """Yield what cannot be true of the parts and the token times of a trial, by the field's path."""
    for name, part in trial.parts.items():
        for field, problem in _part_problems(part, trial):
            yield f"parts.{name}.{field}", problem
    if trial.token_times is not None:
        for name in ("ttft", "tpot"):
            latency = getattr(trial.token_times, name)
            if latency is not None and not latency.p50_s <= latency.p95_s <= latency.p99_s:
                yield f"token_times.{name}", "its percentiles do not increase"


def _part_problems(part: Part, trial: Trial) -> Iterator[Problem]:
    begin_s, end_s = part.window_s
    if not (part.steps and part.items and end_s - begin_s >= MIN_WINDOW_S):
        yield "window_s", f"{part.items} items and {part.steps} steps in {end_s - begin_s:g} s"
    earliest_s = trial.window_s[1] if trial.window_s is not None else trial.started_s
    if earliest_s is not None and begin_s < earliest_s - _ROUNDING:
        yield "window_s", f"it begins at {begin_s:g} s, before the window of the whole step ends, {earliest_s:g} s"
    if trial.ended_s is not None and end_s > trial.ended_s + _ROUNDING:
        yield "window_s", f"it ends at {end_s:g} s, after the trial, {trial.ended_s:g} s"
