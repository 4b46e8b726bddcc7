"""Progress of a run: a bar and a line of facts in a terminal, plain lines where output is piped.

While a window is open nothing is drawn: the display changes only when the conductor says something.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from joulemark.suite import units
from joulemark.suite.plan.cases import ZYGOTES_S, Plan
from joulemark.suite.records import Case, Trial
from joulemark.suite.run.run_spec import ProgressListener


@contextlib.contextmanager
def watch(console: Console) -> Iterator[ProgressListener]:
    """A watcher that shows the run on `console` for as long as the context lasts."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _Bar(console, live)


class Clock:
    """How far the run is, by the time that its parts are expected to take."""

    def __init__(
        self, plan: Plan, before: Collection[tuple[str, int]], now: Callable[[], float] = time.monotonic
    ) -> None:
        """`before`: (case, round) of the trials that a resumed run has already."""
        self.plan, self.before, self.now = plan, before, now
        self.started = now()
        self.rounds = self.trials = self.done = self.ended = 0
        self.planned_s = plan.profile.idle_s
        self.expected_s = plan.expected_s()
        self._adds(plan.runnable(), plan.rounds)

    def goes_on(self, cases: Sequence[Case], rounds: int) -> None:
        """More rounds of some cases than were planned."""
        self.expected_s += rounds * (sum(self.plan.trial_s(case) for case in cases) + _zygotes_s(cases))
        self._adds(cases, rounds)

    def _adds(self, cases: Sequence[Case], rounds: int) -> None:
        """`rounds` of `cases` are part of the run: those that were measured before are done, and take no time."""
        self.zygotes_s = _zygotes_s(cases) / len(cases) if cases else 0.0
        for case in cases:
            done = sum((case.id, self.rounds + number) in self.before for number in range(1, rounds + 1))
            self.done += done
            self.expected_s -= done * self._takes_s(case)
        self.rounds += rounds
        self.trials += rounds * len(cases)

    def gives_up(self, case: Case, rounds: int) -> None:
        """A case that will not be tried again."""
        self.trials -= rounds
        self.expected_s -= rounds * self.plan.trial_s(case)

    def elapsed_s(self) -> float:
        """Time since the run began."""
        return self.now() - self.started

    def trial_ended(self, case: Case) -> None:
        """One more trial is done."""
        self.done += 1
        self.ended += 1
        self.planned_s += self._takes_s(case)

    def _takes_s(self, case: Case) -> float:
        """Expected duration of a trial with its share of its round's imports, seconds."""
        return self.plan.trial_s(case) + self.zygotes_s

    def left_s(self) -> float:
        """Expected time left: what is planned, at the pace so far."""
        pace = self.elapsed_s() / self.planned_s if self.ended else 1.0
        return max(0.0, self.expected_s - self.planned_s) * pace


def _zygotes_s(cases: Sequence[Case]) -> float:
    """Imports of one round of `cases`, seconds: each arm has its own."""
    return len({case.arm for case in cases}) * ZYGOTES_S


class _Watcher:
    """What both kinds of display have in common: the facts."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.round = 0
        self.case: Case | None = None
        self.last = ""

    def begins(self, plan: Plan, before: Collection[tuple[str, int]]) -> None:
        self.plan, self.clock = plan, Clock(plan, before)
        extent = units.extent(len(plan.runnable()), plan.rounds, plan.max_rounds, self.clock.expected_s)
        left = f"; {units.counted(len(before), 'trial')} measured before" if before else ""
        self.line(f"{plan.profile.name}: {extent}{left}.")
        for case in plan.cases:
            if case not in plan.runnable():
                self.line(f"skipped  {case.id}: {case.reason}")

    def goes_on(self, cases: Sequence[Case], rounds: int) -> None:
        self.clock.goes_on(cases, rounds)
        self.line(f"Not decided: {units.counted(len(cases), 'case')}; {units.counted(rounds, 'more round')} of them.")

    def trial_begins(self, case: Case, round_number: int) -> None:
        self.case, self.round = case, round_number
        self.update(case.id)

    def trial_ends(self, case: Case, trial: Trial, power_w: float | None) -> None:
        self.clock.trial_ended(case)
        if trial.window_s is not None:
            rate = trial.items / (trial.window_s[1] - trial.window_s[0])
            self.last = f"{units.quantity(rate, case.item + '/s')}"
        else:
            self.last = trial.status
        if power_w is not None:
            self.last += f", {units.quantity(power_w, 'W')}"
        if trial.status != "ok":
            self.line(f"{trial.status}  {case.id}, round {self.round}: {trial.reason}")
        self.ended(case)

    def gives_up(self, case: Case, rounds: int) -> None:
        self.clock.gives_up(case, rounds)

    def line(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def update(self, doing: str) -> None:
        """What is being done now."""

    def ended(self, case: Case) -> None:
        """A trial has ended."""


class _Lines(_Watcher):
    """A line a trial."""

    def stage(self, text: str) -> None:
        """Nothing: stages are of interest only while one waits before a screen."""

    def part(self, name: str) -> None:
        """Nothing."""

    def ended(self, case: Case) -> None:
        position = f"[{self.clock.done}/{self.clock.trials}]"
        left = units.duration(self.clock.left_s())
        self.line(f"{position} round {self.round}  {case.id}  {self.last}  ({left} left)")


class _Bar(_Watcher):
    """One line that is drawn anew."""

    def __init__(self, console: Console, live: Live) -> None:
        super().__init__(console)
        self.live = live

    def stage(self, text: str) -> None:
        self.update(text)

    def part(self, name: str) -> None:
        if self.case is not None:
            self.update(f"{self.case.id}  {name.replace('_', ' ')}")

    def ended(self, case: Case) -> None:
        self.update(case.id)

    def update(self, doing: str) -> None:
        clock = self.clock
        share = clock.done / clock.trials if clock.trials else 1.0
        filled = round(30 * share)
        bar = Text("━" * filled, style="cyan") + Text("━" * (30 - filled), style="bright_black")
        elapsed = units.duration(clock.elapsed_s())
        facts = (
            f"  {clock.done}/{clock.trials}  round {self.round}/{clock.rounds}"
            f"  {elapsed} gone, {units.duration(clock.left_s())} left"
        )
        second = Text(f"{doing}" + (f"   last: {self.last}" if self.last else ""), style="dim", overflow="ellipsis")
        self.live.update(Text.assemble(bar, facts, "\n", second), refresh=True)
