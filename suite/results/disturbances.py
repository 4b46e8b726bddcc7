"""What the operating system counted during the windows, and what it says about a result. Pure.

Thresholds are shares of the step's time where they can be, so that they mean the same for 1 ms and for 1 s.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Final

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Floor, Machine, Notice, Trial
from joulemark.suite.stats.intervals import coefficient_of_variation
from joulemark.suite.trial.frameworks import FRAMEWORKS, mode_class

CHURN_FAULTS: Final = 100.0
"""Page faults a step: one costs 0.1 to 1 µs, more with zeroing, so that 100 are felt in a step of a millisecond."""

CHURN_SHARE: Final = 0.02
"""Share of the step's CPU time that the kernel took. Faults that cost less are not worth a word."""

BUSY_SHARE: Final = 0.05
"""Share of the step's time, over its threads, that they were held off the CPU by others."""

THROTTLED_SHARE: Final = 0.01

FLOOR_VARIATION: Final = 0.05
"""Coefficient of variation of the fixed loop; 2 to 5 % is what small virtual machines show when nothing else runs."""

MODE_TOLERANCE: Final = 1e-3
"""Relative difference to eager: compilers reorder sums, but in fp32 they compute the same thing."""


def disturbances(case: Case, trials: Sequence[Trial]) -> list[Notice]:
    """Notices from the counters of `trials`, which are ok."""
    notices = []
    retraced = _total(trials, "traces_in_window")
    if retraced:
        notices.append(Notice.of(Code.RETRACED, retraced))
    faults, system = _median(trials, "page_faults"), _share(trials, "system_s", case.threads)
    if faults is not None and faults >= CHURN_FAULTS and system is not None and system >= CHURN_SHARE:
        notices.append(Notice.of(Code.MEMORY_CHURN, faults, CHURN_FAULTS))
    busy = _busy(case, trials)
    if busy > BUSY_SHARE:
        notices.append(Notice.of(Code.MACHINE_BUSY, busy, BUSY_SHARE))
    throttled = _share(trials, "cgroup_throttled_s", 1)
    if throttled is not None and throttled > THROTTLED_SHARE:
        notices.append(Notice.of(Code.CGROUP_THROTTLED, throttled, THROTTLED_SHARE))
    return notices


def _busy(case: Case, trials: Sequence[Trial]) -> float:
    """Share of the time that others held the threads off the CPU.

    Threads also wait for each other where a framework has more of them than cores (TensorFlow's two pools), and others
    may work on cores that are not asked for: it takes both, waiting and work of others, to be disturbed.
    """
    waiting, others, stolen = (
        _share(trials, name, case.threads) or 0.0 for name in ("run_queue_wait_s", "other_cpu_s", "steal_s")
    )
    return min(waiting, others) + stolen


def machine_notices(machine: Machine, floor: Sequence[Floor]) -> list[Notice]:
    """Notices about the machine itself: its clock policy and its noise floor."""
    notices = []
    governor = machine.cpu.governor
    if governor is not None and governor != "performance":
        notices.append(Notice.of(Code.FREQUENCY_SCALING, governor))
    loops = ([entry.arithmetic_s for entry in floor], [entry.copy_s for entry in floor])
    # A run that was cut off early has no floor yet.
    spreads = [spread for loop in loops if loop and (spread := coefficient_of_variation(loop)) is not None]
    worst = max(spreads, default=0.0)
    if worst > FLOOR_VARIATION:
        notices.append(Notice.of(Code.NOISY_FLOOR, worst, FLOOR_VARIATION))
    return notices


def differences_from_eager(cases: Iterable[Case]) -> dict[str, Notice]:
    """Notices by case id, for cases in fp32 whose first outputs are not those of the same case in eager mode."""
    cases = list(cases)
    eager = {_without_mode(case): case for case in cases if _class(case) == "eager"}
    found = {}
    for case in cases:
        reference = eager.get(_without_mode(case))
        if reference is None or reference is case or case.precision != "fp32":
            continue
        difference = _difference(_first(case), _first(reference))
        if difference > MODE_TOLERANCE:
            found[case.id] = Notice.of(Code.MODE_DIFFERS, difference, MODE_TOLERANCE)
    return found


def _class(case: Case) -> str:
    known = case.framework in FRAMEWORKS and case.mode in FRAMEWORKS[case.framework].modes
    return mode_class(case.framework, case.mode) if known else ""


def _without_mode(case: Case) -> str:
    return case.id.replace(f"/{case.framework}/{case.mode}/", f"/{case.framework}/*/")


def _first(case: Case) -> dict[str, float]:
    return next((trial.result.first for trial in case.trials if trial.result is not None), {})


def _difference(one: dict[str, float], other: dict[str, float]) -> float:
    """Largest relative difference over the outputs that both have."""
    return max(
        (
            abs(one[name] - other[name]) / max(abs(one[name]), abs(other[name]), 1e-30)
            for name in one.keys() & other.keys()
        ),
        default=0.0,
    )


def _counted(trials: Sequence[Trial], name: str) -> list[float]:
    return [value for trial in trials if (value := trial.counters.get(name)) is not None]


def _total(trials: Sequence[Trial], name: str) -> float:
    return sum(_counted(trials, name))


def _median(trials: Sequence[Trial], name: str) -> float | None:
    values = _counted(trials, name)
    return statistics.median(values) if values else None


def _share(trials: Sequence[Trial], name: str, threads: int) -> float | None:
    """Median over trials of seconds counted a step, over the step's duration times `threads`."""
    shares = [
        value / (trial.window_length_s / trial.steps * threads)
        for trial in trials
        if (value := trial.counters.get(name)) is not None and trial.window_s is not None and trial.steps
    ]
    return statistics.median(shares) if shares else None
