"""Notices from what the operating system and the framework counted during the windows. Pure.

Thresholds are shares of the step's time where possible, so that they mean the same for steps of 1 ms and of 1 s.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice, Trial

CHURN_FAULTS: Final = 100.0
"""Page faults per step: one costs 0.1 to 1 µs, more with zeroing, so 100 are noticeable in a step of 1 ms."""

CHURN_SHARE: Final = 0.02
"""Share of the step's CPU time spent in the kernel. Faults that cost less do not matter."""

BUSY_SHARE: Final = 0.05
"""Share of the step's time, over its threads, in which other processes kept them off the CPU."""

THROTTLED_SHARE: Final = 0.01


def counter_notices(case: Case, trials: Sequence[Trial]) -> list[Notice]:
    """Return the notices from the counters of `trials`, all ok."""
    notices = []
    retraced = sum(_values(trials, "traces_in_window"))
    if retraced:
        notices.append(Notice.of(Code.RETRACED, retraced))
    faults, system = _values(trials, "page_faults"), _share(trials, "system_s", case.threads)
    if faults and statistics.median(faults) >= CHURN_FAULTS and system >= CHURN_SHARE:
        notices.append(Notice.of(Code.MEMORY_CHURN, statistics.median(faults), CHURN_FAULTS))
    busy = _busy_share(case, trials)
    if busy > BUSY_SHARE:
        notices.append(Notice.of(Code.MACHINE_BUSY, busy, BUSY_SHARE))
    throttled = _share(trials, "cgroup_throttled_s", case.threads)
    if throttled > THROTTLED_SHARE:
        notices.append(Notice.of(Code.CGROUP_THROTTLED, throttled, THROTTLED_SHARE))
    return notices


def _busy_share(case: Case, trials: Sequence[Trial]) -> float:
    """Return the share of time in which other processes kept the threads off the CPU.

    Threads also wait for each other if a framework has more of them than cores (TensorFlow's two pools), and other
    processes may run on cores that the case does not use. Only both together, waiting and foreign work, disturb. A
    quota of the container's own makes threads wait too.
    """
    waiting, throttled, foreign, stolen = (
        _share(trials, name, case.threads)
        for name in ("run_queue_wait_s", "cgroup_throttled_s", "other_cpu_s", "steal_s")
    )
    return min(1.0, min(max(0.0, waiting - throttled), foreign) + stolen)


def _values(trials: Sequence[Trial], counter: str) -> list[float]:
    return [value for trial in trials if (value := trial.counters.get(counter)) is not None]


def _share(trials: Sequence[Trial], counter: str, threads: int) -> float:
    """Return the median of a counter in seconds per step, as a share of step time x `threads`; 0 without any value."""
    shares = [
        value / (trial.window_length_s / trial.steps * threads)
        for trial in trials
        if (value := trial.counters.get(counter)) is not None and trial.window_s is not None and trial.steps
    ]
    return statistics.median(shares) if shares else 0.0
