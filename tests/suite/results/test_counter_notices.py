"""Notices from counters: each fires on what it names, and not below its threshold."""

from __future__ import annotations

import pytest
from run_files import case, trial

from joulemark.suite.notices import Code
from joulemark.suite.results.counter_notices import counter_notices

STEP_S = 0.01


def codes(**counters: float) -> set[Code]:
    """Return the codes for three trials of 10 ms steps on two threads, with these counts per step."""
    trials = [trial(i, rate=1 / STEP_S).model_copy(update={"counters": counters}) for i in range(3)]
    return {notice.code for notice in counter_notices(case(trials=trials), trials)}


def test_quiet_windows_have_no_notice():
    assert codes(page_faults=3.0, system_s=1e-4, run_queue_wait_s=1e-5, steal_s=0.0, traces_in_window=0.0) == set()


@pytest.mark.parametrize(
    ("counters", "code"),
    [
        ({"traces_in_window": 1.0}, Code.RETRACED),
        ({"page_faults": 3000.0, "system_s": 0.05 * 2 * STEP_S}, Code.MEMORY_CHURN),
        ({"run_queue_wait_s": 0.5 * 2 * STEP_S, "other_cpu_s": 0.06 * 2 * STEP_S}, Code.MACHINE_BUSY),
        ({"steal_s": 0.06 * 2 * STEP_S}, Code.MACHINE_BUSY),
        ({"cgroup_throttled_s": 0.02 * 2 * STEP_S}, Code.CGROUP_THROTTLED),
        # The threads wait because of the quota, not for the program that runs on another core.
        (
            {"cgroup_throttled_s": 0.5 * 2 * STEP_S, "run_queue_wait_s": 0.5 * 2 * STEP_S, "other_cpu_s": 2 * STEP_S},
            Code.CGROUP_THROTTLED,
        ),
    ],
)
def test_each_disturbance_has_its_code(counters, code):
    assert codes(**counters) == {code}


@pytest.mark.parametrize(
    "counters",
    [
        {"page_faults": 3000.0, "system_s": 0.001 * 2 * STEP_S},
        {"page_faults": 50.0, "system_s": 0.5 * 2 * STEP_S},
        {"run_queue_wait_s": 0.04 * 2 * STEP_S, "other_cpu_s": 0.5 * 2 * STEP_S},
        # A framework's own threads wait for each other, and no other process runs.
        {"run_queue_wait_s": 0.7 * 2 * STEP_S, "other_cpu_s": 0.01 * 2 * STEP_S},
        # Other processes run on other cores.
        {"run_queue_wait_s": 0.0, "other_cpu_s": 5.0 * STEP_S},
        {"cgroup_throttled_s": 0.005 * 2 * STEP_S},
    ],
)
def test_there_is_no_notice_below_a_threshold(counters):
    assert codes(**counters) == set()


def test_other_work_takes_at_most_all_of_the_time():
    all_s = 2 * STEP_S
    counters = {"run_queue_wait_s": 0.8 * all_s, "other_cpu_s": 0.8 * all_s, "steal_s": 0.4 * all_s}
    trials = [trial(i, rate=1 / STEP_S).model_copy(update={"counters": counters}) for i in range(3)]
    (notice,) = counter_notices(case(trials=trials), trials)
    assert (notice.code, notice.value) == (Code.MACHINE_BUSY, 1.0)


def test_missing_counters_give_no_notice():
    assert codes() == set()
