"""Runs the two trials of a pair so that both stay resident after their windows and take turns.

What disturbs the machine for longer than a turn falls on both alike. The second trial starts when the first one waits,
so that each has its window with the machine to itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from joulemark.suite.notices import Code
from joulemark.suite.plan.plan import Plan
from joulemark.suite.records import Case, Notice, Trial
from joulemark.suite.run.trials import TrialRunner
from joulemark.suite.trial.fork_server_client import RunningTrial, TurnError
from joulemark.suite.trial.outcome import TIMEOUT

LIMIT_WINDOWS = 2
"""No turn starts once all of them have taken so many times as long as both windows: steps may be longer than turns."""
OnTrial = Callable[[Case, Trial], None]


class PairRunner:
    """Runs pairs of trials; those that failed to take turns, from then on one after the other."""

    def __init__(
        self, trials: TrialRunner, plan: Plan, on_window: OnTrial, on_end: OnTrial, add_notice: Callable[[Notice], None]
    ) -> None:
        """`on_window` is called with each trial that waits for its turns, `on_end` with each that has ended."""
        self._trials, self._plan = trials, plan
        self._on_window, self._on_end, self._add_notice = on_window, on_end, add_notice
        self._apart: set[str] = set()

    def run(self, cases: tuple[Case, ...], round_number: int) -> None:
        """Run a trial of each of `cases`: of one, or of the two of a pair."""
        if len(cases) == 2 and self._plan.profile.turns and self._plan.pair_of[cases[0].id] not in self._apart:
            first, second = cases
            self._run_pair(first, second, round_number)
            return
        for case in cases:
            self._on_end(case, self._trials.run(case, round_number))

    def _run_pair(self, first: Case, second: Case, round_number: int) -> None:
        times: list[tuple[float, float]] = []
        beside: list[Trial] = []
        order = random.Random(f"{self._plan.order_seed}/{round_number}/{first.id}/turns")

        def when_first_waits(first_running: RunningTrial, first_trial: Trial) -> None:
            self._on_window(first, first_trial)

            def when_second_waits(second_running: RunningTrial, second_trial: Trial) -> None:
                self._on_window(second, second_trial)
                limit_s = LIMIT_WINDOWS * (first_trial.window_length_s + second_trial.window_length_s)
                try:
                    times.extend(alternate(first_running, second_running, self._plan.profile.turns, limit_s, order))
                except TurnError as error:
                    self._give_up_turns(first, str(error))

            trial = self._trials.run(second, round_number, when_second_waits)
            beside.append(trial)
            if not _failed_beside(trial):
                self._on_end(second, _with_turns(trial, [turn[1] for turn in times]))

        trial = self._trials.run(first, round_number, when_first_waits)
        self._on_end(first, _with_turns(trial, [turn[0] for turn in times]))
        if not beside or _failed_beside(beside[0]):
            alone = self._trials.run(second, round_number)
            self._on_end(second, alone)
            if beside and alone.status == "ok":  # it lacked memory, or a device that only one process can have
                self._give_up_turns(first, beside[0].reason or "")

    def _give_up_turns(self, case: Case, reason: str) -> None:
        """Measure the pair of `case` one trial after the other from now on."""
        pair = self._plan.pair_of[case.id]
        self._apart.add(pair)
        self._add_notice(Notice.of(Code.TURNS_NOT_TAKEN, f"{pair.partition('+')[0]}: {reason}"))


def alternate(
    first: RunningTrial, second: RunningTrial, turns: int, limit_s: float, order: random.Random
) -> list[tuple[float, float]]:
    """Return the step times of two trials that wait, seconds, in each of `turns`; fewer, but one, after `limit_s`.

    Who comes first changes at random, and so do the cores, the same for both. Raises TurnError if one of them does not
    take its turn.
    """
    times: list[tuple[float, float]] = []
    started = time.monotonic()
    while len(times) < turns and (not times or time.monotonic() - started < limit_s):
        place = order.randrange(256)
        turn = {index: (first, second)[index].take_turn(place) for index in order.sample((0, 1), 2)}
        times.append((turn[0], turn[1]))
    return times


def _failed_beside(trial: Trial) -> bool:
    """Return whether a trial may have failed because another one was resident."""
    return trial.status == "failed" and trial.reason_code != TIMEOUT


def _with_turns(trial: Trial, turns_s: list[float]) -> Trial:
    return trial.model_copy(update={"turns_s": tuple(turns_s)}) if trial.status == "ok" else trial
