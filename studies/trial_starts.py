"""What a trial takes beyond its shortest warm-up and its window, by framework and mode, from kept runs: `start_s` and
`compile_s` in `suite/trial/frameworks/frameworks.toml`. And how long the plan expects each run to take.

    python -m studies.trial_starts docs/results/quick-3-frameworks-2-cores.json docs/results/standard-2-cores.json
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from statistics import fmean

from joulemark.suite import units
from joulemark.suite.plan.plan import COUNTING_S, Plan
from joulemark.suite.plan.profiles import find_profile
from joulemark.suite.records import NOT_ATTEMPTED, Case, RunFile, Trial
from joulemark.suite.results.run_files import read
from joulemark.suite.trial.frameworks import FRAMEWORKS


def plan_of(run_file: RunFile) -> Plan:
    """Return the plan of a run that was kept: the cases that it measured, as often."""
    measured = [case for case in run_file.cases if case.status == "ok"]
    cases = tuple(case.model_copy(update={"reason_code": NOT_ATTEMPTED, "trials": ()}) for case in measured)
    rounds = max(len(case.trials) for case in measured)
    return Plan(find_profile(run_file.settings), cases, rounds, run_file.run.order_seed)


def duration_s(run_file: RunFile) -> float:
    """Return how long a complete run took, seconds."""
    assert run_file.run.finished_at is not None
    started, finished = (datetime.fromisoformat(at) for at in (run_file.run.started_at, run_file.run.finished_at))
    return (finished - started).total_seconds()


def extra_s(plan: Plan, case: Case, trial: Trial) -> float:
    """Return what an ok trial took beyond its window, its shortest warm-up and counting, seconds."""
    assert trial.started_s is not None
    assert trial.ended_s is not None
    effort = plan.effort(case, trial.round)
    measuring_s = effort.warmup_s + trial.window_length_s + 2 * effort.guard_s
    counting_s = COUNTING_S["cpu"] if trial.work is not None else 0.0
    return trial.ended_s - trial.started_s - measuring_s - counting_s


def starts(run_files: Iterable[RunFile]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return `start_s` and `compile_s` by framework and mode, seconds: the geometric mean over the runs of the means
    over their trials on a CPU, and the mean difference of the first trial, with a compile cache that is empty."""
    means: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for run_file in run_files:
        plan = plan_of(run_file)
        trials: dict[tuple[str, str], dict[bool, list[float]]] = defaultdict(lambda: {True: [], False: []})
        for case in plan.cases:
            for trial in next(each for each in run_file.cases if each.id == case.id).trials:
                if case.device == "cpu" and trial.status == "ok":
                    cold = trial.compile_cache == "cold" and FRAMEWORKS[case.framework].caches_compilation
                    trials[case.framework, case.mode][cold].append(extra_s(plan, case, trial))
        for mode, by_cache in trials.items():
            warm_s = fmean(by_cache[False])
            means[mode].append((warm_s, fmean(by_cache[True]) - warm_s if by_cache[True] else 0.0))
    return {
        mode: (math.exp(fmean(math.log(warm_s) for warm_s, _ in each)), fmean(cold_s for _, cold_s in each))
        for mode, each in means.items()
    }


if __name__ == "__main__":
    kept = {path: read(Path(path)) for path in sys.argv[1:]}
    for (framework, mode), (start_s, compile_s) in sorted(starts(kept.values()).items()):
        print(f"{framework} {mode}: start_s {start_s:.1f}, compile_s {compile_s:.1f}")
    for path, run_file in kept.items():
        took_s, expected_s = duration_s(run_file), plan_of(run_file).expected_s()
        durations = f"took {units.duration(took_s)}, expected {units.duration(expected_s)}"
        print(f"{path}: {durations}: {expected_s / took_s:.2f}")
