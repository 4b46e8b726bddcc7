"""Notices from counters: each fires on what it names, and not below its threshold."""

from __future__ import annotations

import pytest
from run_files import case, machine, trial

from joulemark.suite.notices import Code
from joulemark.suite.records import Cpu, Floor, Result
from joulemark.suite.results.disturbances import differences_from_eager, disturbances, machine_notices

STEP_S = 0.01


def codes(**counters: float) -> set[Code]:
    """Codes for three trials of 10 ms steps on two threads with these counts a step."""
    trials = [trial(i, rate=1 / STEP_S).model_copy(update={"counters": counters}) for i in range(3)]
    return {notice.code for notice in disturbances(case(trials=trials), trials)}


def test_quiet_windows_have_no_notice():
    assert codes(page_faults=3.0, system_s=1e-4, run_queue_wait_s=1e-5, steal_s=0.0, traces_in_window=0.0) == set()


@pytest.mark.parametrize(
    ("counters", "code"),
    [
        ({"traces_in_window": 1.0}, Code.RETRACED),
        ({"page_faults": 3000.0, "system_s": 0.05 * 2 * STEP_S}, Code.MEMORY_CHURN),
        ({"run_queue_wait_s": 0.5 * 2 * STEP_S, "other_cpu_s": 0.06 * 2 * STEP_S}, Code.MACHINE_BUSY),
        ({"steal_s": 0.06 * 2 * STEP_S}, Code.MACHINE_BUSY),
        ({"cgroup_throttled_s": 0.02 * STEP_S}, Code.CGROUP_THROTTLED),
    ],
)
def test_each_disturbance_is_named(counters, code):
    assert codes(**counters) == {code}


@pytest.mark.parametrize(
    "counters",
    [
        {"page_faults": 3000.0, "system_s": 0.001 * 2 * STEP_S},
        {"page_faults": 50.0, "system_s": 0.5 * 2 * STEP_S},
        {"run_queue_wait_s": 0.04 * 2 * STEP_S, "other_cpu_s": 0.5 * 2 * STEP_S},
        # A framework's own threads wait for each other; nobody else works.
        {"run_queue_wait_s": 0.7 * 2 * STEP_S, "other_cpu_s": 0.01 * 2 * STEP_S},
        # Others work on other cores.
        {"run_queue_wait_s": 0.0, "other_cpu_s": 5.0 * STEP_S},
        {"cgroup_throttled_s": 0.005 * STEP_S},
    ],
)
def test_below_its_threshold_it_is_not_worth_a_word(counters):
    assert codes(**counters) == set()


def test_a_count_that_is_not_there_says_nothing():
    assert codes() == set()


def test_the_machines_own_unrest():
    floor = [Floor(at_s=float(i), arithmetic_s=0.05 * (1 + 0.2 * (i % 2)), copy_s=0.02) for i in range(6)]
    found = {notice.code for notice in machine_notices(machine(), floor)}
    assert found == {Code.NOISY_FLOOR}
    cpu = Cpu(model="c", physical_cores=2, logical_cores=2, usable_cores=2.0, governor="powersave")
    assert {notice.code for notice in machine_notices(machine(cpu=cpu), floor[:1])} == {Code.FREQUENCY_SCALING}


def test_a_compiled_step_that_computes_something_else_is_found():
    def mode(name: str, loss: float):
        trials = [trial().model_copy(update={"result": Result(first={"loss": loss}, last={"loss": 1.0})})]
        return case(mode=name, trials=trials)

    same = [mode("eager", 2.3), mode("compile", 2.3 * (1 + 1e-5))]
    assert differences_from_eager(same) == {}
    other = [mode("eager", 2.3), mode("compile", 2.31)]
    (notice,) = differences_from_eager(other).values()
    assert notice.code == Code.MODE_DIFFERS
    assert notice.value == pytest.approx(0.01 / 2.31)
