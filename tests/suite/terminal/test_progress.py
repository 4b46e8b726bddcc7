"""How far a run is, and how long it will take."""

from __future__ import annotations

import io
import itertools

import pytest
from rich.console import Console
from run_files import failed_trial

from joulemark.suite.plan.cases import make_plan
from joulemark.suite.plan.plan import IMPORTS_S, Plan
from joulemark.suite.records import ArmName, FrameworkInfo, Settings
from joulemark.suite.terminal.progress import Clock, watch

FRAMEWORKS = {"pytorch": FrameworkInfo(version="2", python="3", build="cpu")}
ROUNDS = 2
PACE = 1.5
"""So many times as long as expected all takes here."""


def make(*arms: ArmName) -> Plan:
    """Two cases, of each arm where there are arms."""
    settings = Settings(workload=["matmul", "fft"], size=["tiny"], phase=["inference"])
    made = make_plan(settings, FRAMEWORKS, 1, threads=2)
    cases = [
        case.model_copy(update={"id": f"{arm}/{case.id}", "arm": arm} if arm else {})
        for arm, case in itertools.product(arms or (None,), made.runnable())
    ]
    assert len(cases) == 2 * max(1, len(arms))
    return Plan(made.profile, tuple(cases), ROUNDS, order_seed=1, max_rounds=2 * ROUNDS)


class Run:
    """A run in which all takes `PACE` times as long as expected."""

    def __init__(self, plan: Plan, before: frozenset[tuple[str, int]] = frozenset()) -> None:
        self.now_s, self.plan, self.before, self.rounds = 0.0, plan, before, 0
        self.clock = Clock(plan, before, lambda: self.now_s)
        self.now_s += PACE * plan.profile.idle_s

    def measure(self, *ids: str) -> None:
        """The plan's rounds of these cases, or of all, without what was measured before."""
        cases = [case for case in self.plan.runnable() if not ids or case.id in ids]
        for number in range(self.rounds + 1, self.rounds + ROUNDS + 1):
            imports_s = len({case.arm for case in cases}) * IMPORTS_S
            for case in cases:
                if (case.id, number) not in self.before:
                    self.now_s += PACE * (self.plan.trial_s(case) + imports_s / len(cases))
                    self.clock.trial_ended(case)
        self.rounds += ROUNDS


def all_of(plan: Plan, *rounds: int) -> frozenset[tuple[str, int]]:
    return frozenset(itertools.product((case.id for case in plan.runnable()), rounds))


@pytest.mark.parametrize("arms", [(), ("a", "b")])
@pytest.mark.parametrize("resumed", [False, True])
def test_at_the_end_all_is_done_and_the_idle_window_is_left(arms: tuple[ArmName, ...], resumed: bool) -> None:
    plan = make(*arms)
    first = plan.runnable()[0].id
    run = Run(plan, (all_of(plan, 1) | {(first, 2)}) if resumed else frozenset())
    trials = ROUNDS * len(plan.runnable())
    assert (run.clock.done, run.clock.trials) == (len(run.before), trials)
    assert run.clock.left_s() < plan.expected_s() / (2 if resumed else 1)
    run.measure()
    assert (run.clock.done, run.clock.trials) == (trials, trials)
    assert run.clock.left_s() == pytest.approx(PACE * plan.profile.idle_s)


@pytest.mark.parametrize("resumed", [False, True])
def test_more_rounds_of_one_pair(resumed: bool) -> None:
    plan = make("a", "b")
    pair = [plan.runnable()[0], plan.runnable()[2]]
    before = (all_of(plan, 1, 2) | {(pair[0].id, 3)}) if resumed else frozenset()
    run = Run(plan, before)
    run.measure()
    run.clock.goes_on(pair, ROUNDS)
    assert (run.clock.done, run.clock.trials) == (8 + resumed, 12)
    run.measure(*(case.id for case in pair))
    assert (run.clock.done, run.clock.trials) == (12, 12)
    assert run.clock.left_s() == pytest.approx(PACE * plan.profile.idle_s)


def test_lines_count_on_from_what_was_measured_before() -> None:
    plan, text = make(), io.StringIO()
    with watch(Console(file=text, width=200)) as watcher:
        watcher.on_run_start(plan, all_of(plan, 1))
        for case in plan.runnable():
            watcher.on_trial_start(case, 2)
            watcher.on_trial_end(case, failed_trial(2), None)
    lines = text.getvalue().splitlines()
    assert lines[0].endswith("; 2 trials measured before.")
    assert [line[:5] for line in lines if line.startswith("[")] == ["[3/4]", "[4/4]"]
