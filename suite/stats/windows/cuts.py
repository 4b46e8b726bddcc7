"""Trials with block times, out of which shorter windows are cut: one of 0.2 s is the beginning of one of 2 s. Pure."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median
from typing import Final, NamedTuple

from joulemark.suite.records import Case, RunFile, Trial
from joulemark.suite.trial.request import Effort

MIN_BLOCKS: Final = Effort.min_blocks
"""Fewest blocks of a window, however long they take."""


class Cut(NamedTuple):
    """A window that was cut out of a longer one."""

    log_step_s: float
    """Log of the mean step time."""
    length_s: float
    """Its length, seconds: whole blocks."""


@dataclass(frozen=True)
class CutTrial:
    """A trial whose window can be cut."""

    block_s: tuple[float, ...]
    steps_per_block: int
    own_s: float
    """Duration of the trial without its window: process, load, first call, warm-up; seconds."""

    @cached_property
    def _ends(self) -> tuple[float, ...]:
        return (0.0, *itertools.accumulate(self.block_s))

    def cut(self, skip_s: float, window_s: float) -> Cut | None:
        """Return the window of `window_s` that begins after `skip_s` of more warm-up; None if this one ends before.

        As in a trial, both end with the first block that fills them.
        """
        first = self._first(skip_s)
        if first >= len(self._ends):
            return None
        last = max(bisect_left(self._ends, self._ends[first] + window_s), first + MIN_BLOCKS)
        return self._between(first, last) if last < len(self._ends) else None

    def settled(self) -> float:
        """Return the log of the mean step time in the second half of the window."""
        return self._between(len(self.block_s) // 2, len(self.block_s)).log_step_s

    def after(self, skip_s: float) -> float:
        """Return the log of the mean step time after the first `skip_s` seconds."""
        return self._between(self._first(skip_s), len(self.block_s)).log_step_s

    def deviation(self, skip_s: float, window_s: float) -> float:
        """Return the mean square difference of windows of `window_s` from all that follows `skip_s`, log scale.

        The windows lie evenly from its beginning to its end, side by side if it is a multiple of them.
        """
        first, count = self._first(skip_s), len(self.block_s)
        length_s = self._ends[count] - self._ends[first]
        blocks = min(max(round((count - first) * window_s / length_s), MIN_BLOCKS), count - first)
        places = max(2, (count - first) // blocks)
        whole = self.after(skip_s)
        begins = [first + (count - first - blocks) * place // (places - 1) for place in range(places)]
        return fmean((self._between(begin, begin + blocks).log_step_s - whole) ** 2 for begin in begins)

    def _first(self, skip_s: float) -> int:
        """Return the first block that begins after `skip_s` seconds."""
        return bisect_left(self._ends, skip_s)

    def _between(self, first: int, last: int) -> Cut:
        length_s = self._ends[last] - self._ends[first]
        return Cut(math.log(length_s / ((last - first) * self.steps_per_block)), length_s)


@dataclass(frozen=True)
class CutCase:
    """The trials of one case, by run, in the order of their rounds."""

    id: str
    threads: int
    runs: tuple[tuple[CutTrial, ...], ...]

    @property
    def trials(self) -> list[CutTrial]:
        return [trial for run in self.runs for trial in run]

    @property
    def own_s(self) -> float:
        """Median duration of a trial without its window, seconds: few trials count what a step does."""
        return median(trial.own_s for trial in self.trials)


@dataclass(frozen=True)
class MeasuredRounds:
    """What runs show of their rounds."""

    cases: tuple[CutCase, ...]
    """Those on a CPU."""
    others_s: float
    """What a round takes beside the trials of `cases`, seconds: trials on a GPU, start of the fork servers, noise
    floor."""
    idle_s: float
    """Both idle windows of a run, seconds."""


def measured_rounds(runs: Sequence[RunFile]) -> MeasuredRounds | None:
    """Return the rounds of `runs`, which have the same cases; None where they have no two trials of one on a CPU."""
    by_case: dict[str, list[Sequence[CutTrial]]] = {}
    threads: dict[str, int] = {}
    for run in runs:
        for case in run.cases:
            if len(trials := _cut_trials(case)) > 1:
                by_case.setdefault(case.id, []).append(trials)
                threads[case.id] = case.threads
    if not by_case:
        return None
    cases = tuple(CutCase(name, threads[name], tuple(map(tuple, each))) for name, each in by_case.items())
    return MeasuredRounds(
        cases, fmean(_others_s(run, by_case.keys()) for run in runs), fmean(map(_idle_s, runs)) if runs else 0.0
    )


def _cut_trials(case: Case) -> list[CutTrial]:
    if case.device != "cpu" or case.arm is not None:
        return []
    return [
        CutTrial(trial.block_s, trial.steps_per_block, duration_s - trial.window_length_s)
        for trial in sorted(case.trials, key=lambda trial: trial.round)
        if trial.is_usable and len(trial.block_s) >= MIN_BLOCKS and min(trial.block_s) > 0
        if (duration_s := _duration_s(trial)) is not None
    ]


def _duration_s(trial: Trial) -> float | None:
    """Return how long the process of a trial took, seconds; None if that is not known."""
    return None if trial.started_s is None or trial.ended_s is None else trial.ended_s - trial.started_s


def _others_s(run: RunFile, cut: Collection[str]) -> float:
    """Return what a round of `run` takes beside the trials of the cases in `cut`, seconds."""
    timed = [
        (case.id, trial.round, trial.ended_s, duration_s)
        for case in run.cases
        for trial in case.trials
        if trial.ended_s is not None and (duration_s := _duration_s(trial)) is not None
    ]
    if not timed:
        return 0.0
    begin_s = max((idle.window_s[1] for idle in run.idle if idle.when == "before"), default=0.0)
    end_s = max(ended_s for _, _, ended_s, _ in timed)
    of_cases = math.fsum(duration_s for name, _, _, duration_s in timed if name in cut)
    return max(0.0, end_s - begin_s - of_cases) / len({number for _, number, _, _ in timed})


def _idle_s(run: RunFile) -> float:
    return math.fsum(idle.window_s[1] - idle.window_s[0] for idle in run.idle)
