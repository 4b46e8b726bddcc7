"""A run file as it is when the run begins, or goes on: all that is known before the first trial."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from joulemark import __version__
from joulemark.suite.notices import Code
from joulemark.suite.records import ArmName, Notice, Run, RunFile, Segment
from joulemark.suite.results.validity import run_notices
from joulemark.suite.run.run_spec import RunSpec
from joulemark.suite.trial.environment import Environment
from joulemark.suite.trial.outcome import TIMEOUT


def new_run_file(
    order: RunSpec, run_id: str, environments: Mapping[ArmName | None, Environment], segment: Segment
) -> RunFile:
    """A new run; `environments` are its trials' by arm."""
    notices = list(order.notices)
    # What is kept is the user's, and so the same in both arms.
    kept = next(iter(environments.values())).kept
    shared = _shared(each.managed for each in environments.values())
    if kept:
        notices.append(Notice.of(Code.ENVIRONMENT_KEPT, ", ".join(kept)))
    return RunFile(
        run=Run(
            id=run_id,
            started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            finished_at=None,
            segments=(segment,),
            command=order.command,
            profile=order.plan.profile.name,
            suite_version=__version__,
            complete=False,
            order_seed=order.plan.order_seed,
            rounds=order.plan.rounds,
            max_rounds=order.plan.max_rounds,
            environment={**shared, **kept},
        ),
        machine=order.machine,
        arms={
            name: side.arm.model_copy(update={"environment": _without(environments[name].managed, shared)})
            for name, side in order.sides.items()
        },
        settings=order.settings,
        cases=order.plan.cases,
        notices=tuple(notices),
        emissions=order.emissions,
    )


def resumed_run_file(earlier: RunFile, segment: Segment) -> RunFile:
    """The interrupted run as the plan of its next segment: what it has stays in it."""
    segments = (*earlier.run.segments, segment)
    run = earlier.run.model_copy(update={"segments": segments, "finished_at": None, "complete": False})
    made_anew = {Code.RUN_INCOMPLETE, *(notice.code for notice in run_notices(earlier))}
    notices = tuple(notice for notice in earlier.notices if notice.code not in made_anew)
    return earlier.model_copy(update={"run": run, "notices": notices})


def segment(at_s: float) -> Segment:
    """A start of the run, `at_s` seconds after its first."""
    return Segment(at_s=at_s, monotonic_s=time.monotonic(), boot_id=_boot_id())


def done(earlier: RunFile | None) -> frozenset[tuple[str, int]]:
    """(case, round) of the trials that an interrupted run has."""
    cases = earlier.cases if earlier else ()
    return frozenset((case.id, trial.round) for case in cases for trial in case.trials)


def timed_out(earlier: RunFile | None) -> set[str]:
    """Cases of an interrupted run that were given up because a trial did not end in time."""
    cases = earlier.cases if earlier else ()
    return {case.id for case in cases if any(trial.reason_code == TIMEOUT for trial in case.trials)}


def seconds_since(started_at: str) -> float:
    """Seconds by the wall clock since an ISO 8601 time."""
    return (datetime.now(UTC) - datetime.fromisoformat(started_at)).total_seconds()


def _shared(environments: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Variables that have the same value in all of them."""
    first, *others = environments
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}


def _without(variables: Mapping[str, str], shared: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in shared}


def _boot_id() -> str:
    """The kernel's id of this boot: CLOCK_MONOTONIC means nothing after the next one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
