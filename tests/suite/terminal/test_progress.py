"""How far a run is, and how long it will take."""

from __future__ import annotations

import io
import itertools

import pytest
from rich.console import Console
from run_files import failed_trial, trial

from joulemark.suite.plan.cases import make_plan
from joulemark.suite.plan.plan import IMPORTS_S, Plan
from joulemark.suite.records import ArmName, FrameworkInfo, Settings
from joulemark.suite.terminal.progress import RunClock, show_progress

FRAMEWORKS = {"pytorch": FrameworkInfo(version="2", python="3", build="cpu")}
ROUNDS = 2
PACE = 1.5
"""Everything takes this many times as long as expected."""


def plan_with(*arms: ArmName) -> Plan:
    """Return a plan of two cases, for each arm if there are arms."""
    settings = Settings(workload=["matmul", "fft"], size=["tiny"], phase=["inference"])
    plan = make_plan(settings, FRAMEWORKS, 1, threads=2)
    cases = [
        case.model_copy(update={"id": f"{arm}/{case.id}", "arm": arm} if arm else {})
        for arm, case in itertools.product(arms or (None,), plan.runnable())
    ]
    assert len(cases) == 2 * max(1, len(arms))
    return Plan(plan.profile, tuple(cases), ROUNDS, order_seed=1, max_rounds=2 * ROUNDS)


class SimulatedRun:
    """A run whose clock advances `PACE` times as fast as expected."""

    def __init__(self, plan: Plan, measured: frozenset[tuple[str, int]] = frozenset()) -> None:
        self.now_s, self.plan, self.measured, self.rounds = 0.0, plan, measured, 0
        self.clock = RunClock(plan, measured, lambda: self.now_s)
        self.now_s += PACE * plan.profile.idle_s

    def measure(self, *ids: str) -> None:
        """Measure the plan's rounds of these cases, or of all, except for trials that a resumed run has."""
        cases = [case for case in self.plan.runnable() if not ids or case.id in ids]
        for number in range(self.rounds + 1, self.rounds + ROUNDS + 1):
            imports_s = len({(case.arm, case.threads) for case in cases}) * IMPORTS_S
            for case in cases:
                if (case.id, number) not in self.measured:
                    self.now_s += PACE * (self.plan.trial_s(case) + imports_s / len(cases))
                    self.clock.finish_trial(case)
        self.rounds += ROUNDS


def trials_of(plan: Plan, *rounds: int) -> frozenset[tuple[str, int]]:
    return frozenset(itertools.product((case.id for case in plan.runnable()), rounds))


@pytest.mark.parametrize("arms", [(), ("a", "b")])
@pytest.mark.parametrize("resumed", [False, True])
def test_after_the_last_trial_only_the_idle_window_is_left(arms: tuple[ArmName, ...], resumed: bool) -> None:
    plan = plan_with(*arms)
    first = plan.runnable()[0].id
    run = SimulatedRun(plan, (trials_of(plan, 1) | {(first, 2)}) if resumed else frozenset())
    trials = ROUNDS * len(plan.runnable())
    assert (run.clock.done, run.clock.trials) == (len(run.measured), trials)
    assert run.clock.left_s() < plan.expected_s() / (2 if resumed else 1)
    run.measure()
    assert (run.clock.done, run.clock.trials) == (trials, trials)
    assert run.clock.left_s() == pytest.approx(PACE * plan.profile.idle_s)


@pytest.mark.parametrize("resumed", [False, True])
def test_more_rounds_of_one_pair(resumed: bool) -> None:
    plan = plan_with("a", "b")
    pair = [plan.runnable()[0], plan.runnable()[2]]
    measured = (trials_of(plan, 1, 2) | {(pair[0].id, 3)}) if resumed else frozenset()
    run = SimulatedRun(plan, measured)
    run.measure()
    run.clock.add_rounds(pair, ROUNDS)
    assert (run.clock.done, run.clock.trials) == (8 + resumed, 12)
    run.measure(*(case.id for case in pair))
    assert (run.clock.done, run.clock.trials) == (12, 12)
    assert run.clock.left_s() == pytest.approx(PACE * plan.profile.idle_s)


def test_lines_of_a_resumed_run_continue_its_count() -> None:
    plan, output = plan_with(), io.StringIO()
    with show_progress(Console(file=output, width=200)) as listener:
        listener.on_run_start(plan, trials_of(plan, 1))
        for case in plan.runnable():
            listener.on_trial_start(case, 2)
            listener.on_trial_end(case, failed_trial(2), None)
    lines = output.getvalue().splitlines()
    assert lines[0].endswith("; 2 trials measured before.")
    assert [line[:5] for line in lines if line.startswith("[")] == ["[3/4]", "[4/4]"]


def test_power_of_an_estimate_is_marked() -> None:
    plan, output = plan_with(), io.StringIO()
    with show_progress(Console(file=output, width=200)) as listener:
        listener.on_run_start(plan, ())
        for case, power in zip(plan.runnable(), [(27.94, True), (250.4, False)], strict=True):
            listener.on_trial_start(case, 1)
            listener.on_trial_end(case, trial(), power)
    estimated, measured = (line for line in output.getvalue().splitlines() if line.startswith("["))
    assert ", ~28 W " in estimated
    assert ", 250 W " in measured
