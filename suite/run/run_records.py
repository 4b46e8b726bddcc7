"""The run file at the start of a run: everything known before the first trial."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from joulemark import __version__
from joulemark.suite.notices import Code
from joulemark.suite.records import ArmName, Notice, Run, RunFile, Segment
from joulemark.suite.run.run_spec import RunSpec
from joulemark.suite.system.clock import boot_id
from joulemark.suite.trial.environment import Environment


def new_run_file(
    spec: RunSpec, run_id: str, environments: Mapping[tuple[ArmName | None, int], Environment], segment: Segment
) -> RunFile:
    """Return the file of a new run; `environments` are its trials', by arm and number of threads."""
    notices = list(spec.notices)
    # The kept variables are the user's, and therefore the same in both arms.
    kept = next(iter(environments.values())).kept
    dropped = sorted({name for environment in environments.values() for name in environment.dropped})
    first, *others = (environment.managed for environment in environments.values())
    shared = {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}
    own = {
        arm: {name: value for name, value in environment.managed.items() if name not in shared}
        for (arm, _), environment in environments.items()
    }
    for code, names in ((Code.ENVIRONMENT_KEPT, kept), (Code.ENVIRONMENT_DROPPED, dropped)):
        if names:
            notices.append(Notice.of(code, ", ".join(names)))
    return RunFile(
        run=Run(
            id=run_id,
            started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            finished_at=None,
            segments=(segment,),
            command=spec.command,
            profile=spec.plan.profile.name,
            suite_version=__version__,
            complete=False,
            order_seed=spec.plan.order_seed,
            rounds=spec.plan.rounds,
            max_rounds=spec.plan.max_rounds,
            environment={**shared, **kept},
        ),
        machine=spec.machine,
        arms={name: arm.record.model_copy(update={"environment": own[name]}) for name, arm in spec.arms.items()},
        settings=spec.settings,
        cases=spec.plan.cases,
        notices=tuple(notices),
        emissions=spec.emissions,
    )


def new_segment(at_s: float) -> Segment:
    """Return the segment of a start or resume, `at_s` seconds after the run's first start."""
    return Segment(at_s=at_s, monotonic_s=time.monotonic(), boot_id=boot_id())


def time_at(started_at: str, elapsed_s: float) -> str:
    """Return the time `elapsed_s` seconds after `started_at`, ISO 8601: whatever the clock was set to meanwhile."""
    return (datetime.fromisoformat(started_at) + timedelta(seconds=elapsed_s)).isoformat(timespec="milliseconds")
