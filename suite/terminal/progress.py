"""Progress of a run: a bar with its facts in a terminal, one line per trial where output is piped.

The display changes only on events from the run, and so never while a window is open.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from joulemark.suite import units
from joulemark.suite.plan.plan import IMPORTS_S, Plan
from joulemark.suite.records import Case, Trial
from joulemark.suite.results.table import ESTIMATED
from joulemark.suite.run.run_spec import ProgressListener
from joulemark.suite.system.text import one_line

_BAR_WIDTH = 30


@contextlib.contextmanager
def show_progress(console: Console) -> Iterator[ProgressListener]:
    """Yield a listener that shows the progress of a run on `console`."""
    if not console.is_terminal:
        yield _LineProgress(console)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _BarProgress(console, live)


class RunClock:
    """How far a run is; `measured` are (case, round) of the trials that a resumed run already has."""

    def __init__(
        self, plan: Plan, measured: Collection[tuple[str, int]], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.plan, self.measured, self.now = plan, measured, now
        self.started = now()
        self.rounds = self.trials = self.done = self.done_here = 0
        self.elapsed_plan_s = plan.profile.idle_s
        self.expected_s = plan.expected_s()
        self._schedule(plan.runnable(), plan.rounds)

    def add_rounds(self, cases: Sequence[Case], rounds: int) -> None:
        """Add `rounds` of some cases to the plan."""
        self.expected_s += rounds * (sum(self.plan.trial_s(case) for case in cases) + _imports_s(cases))
        self._schedule(cases, rounds)

    def _schedule(self, cases: Sequence[Case], rounds: int) -> None:
        """Count the trials of `rounds` more rounds; those already measured are done and take no time."""
        self.imports_per_trial_s = _imports_s(cases) / len(cases) if cases else 0.0
        for case in cases:
            done = sum((case.id, self.rounds + number) in self.measured for number in range(1, rounds + 1))
            self.done += done
            self.expected_s -= done * self._trial_s(case)
        self.rounds += rounds
        self.trials += rounds * len(cases)

    def drop_case(self, case: Case, rounds: int) -> None:
        """Take the last `rounds` of a case out of the plan."""
        self.trials -= rounds
        self.expected_s -= rounds * self.plan.trial_s(case)

    def elapsed_s(self) -> float:
        return self.now() - self.started

    def finish_trial(self, case: Case) -> None:
        self.done += 1
        self.done_here += 1
        self.elapsed_plan_s += self._trial_s(case)

    def _trial_s(self, case: Case) -> float:
        """Return the expected duration of a trial with its share of the round's imports, seconds."""
        return self.plan.trial_s(case) + self.imports_per_trial_s

    def left_s(self) -> float:
        """Return the expected time left at the pace so far, seconds."""
        pace = self.elapsed_s() / self.elapsed_plan_s if self.done_here else 1.0
        return max(0.0, self.expected_s - self.elapsed_plan_s) * pace


def _imports_s(cases: Sequence[Case]) -> float:
    """Return the duration of the imports of one round, seconds: each arm and number of threads has own fork servers."""
    return len({(case.arm, case.threads) for case in cases}) * IMPORTS_S


class _Progress:
    """State and lines that both displays share."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.round = 0
        self.case: Case | None = None
        self.last_result = ""

    def on_run_start(self, plan: Plan, measured: Collection[tuple[str, int]]) -> None:
        self.plan, self.clock = plan, RunClock(plan, measured)
        rounds = plan.rounds, plan.max_rounds
        cases, expected_s = len(plan.runnable()), self.clock.expected_s
        extent = units.extent(cases, *rounds, expected_s, plan.dropped_rounds, plan.is_sweep)
        resumed = f"; {units.counted(len(measured), 'trial')} measured before" if measured else ""
        self.print_line(f"{plan.profile.name}: {extent}{resumed}.")
        for case in plan.cases:
            if case not in plan.runnable():
                self.print_line(f"skipped  {case.id}: {one_line(case.reason or '')}")

    def on_more_rounds(self, cases: Sequence[Case], rounds: int) -> None:
        self.clock.add_rounds(cases, rounds)
        more = units.counted(rounds, "more round")
        why = "The best settings against the default" if self.plan.is_sweep else "Inconclusive"
        self.print_line(f"{why}: {units.counted(len(cases), 'case')}; running {more}.")

    def on_trial_start(self, case: Case, round_number: int) -> None:
        self.case, self.round = case, round_number
        self.update(case.id)

    def on_trial_end(self, case: Case, trial: Trial, power: tuple[float, bool] | None) -> None:
        self.clock.finish_trial(case)
        self.last_result = trial.status
        if trial.window_s is not None:
            self.last_result = f"{units.significant(trial.items / trial.window_length_s)} {case.item}s/s"
        if power is not None:
            power_w, estimated = power
            mark, digits = (ESTIMATED, 2) if estimated else ("", 3)
            self.last_result += f", {mark}{units.quantity(power_w, 'W', digits)}"
        if trial.status != "ok":
            self.print_line(f"{trial.status}  {case.id}, round {self.round}: {one_line(trial.reason or '')}")
        self.show_result(case)

    def on_give_up(self, case: Case, rounds: int) -> None:
        self.clock.drop_case(case, rounds)

    def on_stage(self, text: str) -> None:
        self.update(text)

    def on_trial_stage(self, name: str) -> None:
        if self.case is not None:
            self.update(f"{self.case.id}  {name.replace('_', ' ')}")

    def print_line(self, text: str) -> None:
        """Print a line that stays on the screen."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def update(self, activity: str) -> None:
        """Show what is being done now."""

    def show_result(self, case: Case) -> None:
        """Show the result of a trial."""


class _LineProgress(_Progress):
    def show_result(self, case: Case) -> None:
        position = f"[{self.clock.done}/{self.clock.trials}]"
        left = units.duration(self.clock.left_s())
        self.print_line(f"{position} round {self.round}  {case.id}  {self.last_result}  ({left} left)")


class _BarProgress(_Progress):
    """A bar that is redrawn, above a line with the current activity."""

    def __init__(self, console: Console, live: Live) -> None:
        super().__init__(console)
        self.live = live

    def show_result(self, case: Case) -> None:
        self.update(case.id)

    def update(self, activity: str) -> None:
        clock = self.clock
        filled = round(_BAR_WIDTH * (clock.done / clock.trials if clock.trials else 1.0))
        bar = Text("━" * filled, style="cyan") + Text("━" * (_BAR_WIDTH - filled), style="bright_black")
        facts = (
            f"  {clock.done}/{clock.trials}  round {self.round}/{clock.rounds}"
            f"  {units.duration(clock.elapsed_s())} elapsed, {units.duration(clock.left_s())} left"
        )
        last = f"   last: {self.last_result}" if self.last_result else ""
        status = Text(activity + last, style="dim", overflow="ellipsis")
        self.live.update(Text.assemble(bar, facts, "\n", status), refresh=True)
