"""An interrupted run as the start of its next segment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, RunFile, Segment
from joulemark.suite.results.run_files import read
from joulemark.suite.results.validity import run_notices
from joulemark.suite.trial.outcome import TIMEOUT

CLOCK_TOLERANCE_S = 1.0
"""By how much the clock may differ from CLOCK_MONOTONIC without having been set: it is slewed (adjtimex(2))."""


def resume_time(interrupted: RunFile, now: datetime) -> tuple[float, list[Notice]]:
    """Return when a run is resumed, seconds since its first start, and a notice if the clock was set back meanwhile.

    That is the time by the clock, `now`, since the machine may have been started again. Where the clock was set back,
    it is the latest time of the interrupted part: times in a run file only ever increase.
    """
    elapsed_s = (now - datetime.fromisoformat(interrupted.run.started_at)).total_seconds()
    latest_s = _latest_time_s(interrupted)
    set_back = latest_s - elapsed_s > CLOCK_TOLERANCE_S
    notices = [Notice.of(Code.CLOCK_SET_BACK, latest_s - elapsed_s, CLOCK_TOLERANCE_S)] if set_back else []
    return max(elapsed_s, latest_s), notices


def _latest_time_s(run_file: RunFile) -> float:
    """Return the latest time in the run file, seconds since its start."""
    trials = [trial for case in run_file.cases for trial in case.trials]
    windows = [entry.window_s for entry in run_file.idle]
    windows += [trial.window_s for trial in trials if trial.window_s is not None]
    if run_file.second_opinion is not None:
        windows.append(run_file.second_opinion.window_s)
    times = [
        *(segment.at_s for segment in run_file.run.segments),
        *(trial.ended_s for trial in trials if trial.ended_s is not None),
        *(end for _, end in windows),
        *(entry.at_s for entry in run_file.floor),
        *(trace.t_s[-1] for trace in run_file.traces if trace.t_s),
    ]
    return max(times, default=0.0)


def resumed_run_file(interrupted: RunFile, segment: Segment, added: Sequence[Notice]) -> RunFile:
    """Return the interrupted run as the start of its next segment, with everything that it has, and `added` notices."""
    segments = (*interrupted.run.segments, segment)
    run = interrupted.run.model_copy(update={"segments": segments, "finished_at": None, "complete": False})
    recomputed = {Code.RUN_INCOMPLETE, *(notice.code for notice in run_notices(interrupted))}
    kept = (notice for notice in interrupted.notices if notice.code not in recomputed)
    return interrupted.model_copy(update={"run": run, "notices": (*kept, *added)})


def check_unchanged(interrupted: RunFile, kept: Path) -> None:
    """Raise UsageError if the run file `kept` holds something else: another machine has resumed the run meanwhile."""
    if kept.exists() and read(kept) != interrupted:
        raise UsageError(
            f"{kept} has changed: another process has resumed the run meanwhile. Look at it, then try again."
        )


def measured_trials(interrupted: RunFile | None) -> frozenset[tuple[str, int]]:
    """Return (case id, round) of the trials that an interrupted run has."""
    cases = interrupted.cases if interrupted else ()
    return frozenset((case.id, trial.round) for case in cases for trial in case.trials)


def timed_out_cases(interrupted: RunFile | None) -> set[str]:
    """Return the ids of the cases that an interrupted run gave up because a trial timed out."""
    cases = interrupted.cases if interrupted else ()
    return {case.id for case in cases if any(trial.reason_code == TIMEOUT for trial in case.trials)}
