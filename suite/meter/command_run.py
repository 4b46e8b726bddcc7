"""A command as a run: each time that it is run is a trial, in a journal that outlives a kill."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from joulemark.suite.machine import default_threads, describe
from joulemark.suite.meter import child_process, user_run
from joulemark.suite.meter.live_sampler import LiveSampler, devices
from joulemark.suite.notices import Code
from joulemark.suite.records import Emissions, Idle, Notice, Settings, Trial
from joulemark.suite.records.journal import SUFFIX, Journal, trace_path
from joulemark.suite.results.assemble import COMMAND, finish
from joulemark.suite.sensors.base import check
from joulemark.suite.sensors.gpus import discover


@dataclass(frozen=True)
class CommandRun:
    """What is to be run."""

    program: tuple[str, ...]
    name: str
    settings: Settings
    emissions: Emissions
    notices: tuple[Notice, ...]
    directory: Path
    """Where the run file, and the journal while it lasts, are kept."""
    command: tuple[str, ...]
    """How we were called."""
    idle_s: float = 0.0
    output_to_stderr: bool = False


def measure(errand: CommandRun) -> tuple[Path, tuple[child_process.Ended, ...]]:
    """Run it, and return the path of the run file and how it ended each time; after a failure it is not run again.

    UsageError where it cannot be started or the directory cannot be written; nothing has run then.
    """
    settings = errand.settings
    for sensor in settings.sensor:
        check(sensor)
    boards = discover()
    case = user_run.case(
        errand.name,
        devices(boards.gpus, boards.reason, settings.device),
        default_threads(),
        {"framework": COMMAND, "workload_version": user_run.version(errand.program)},
    )
    started_at, origin_s = datetime.now(UTC), time.monotonic()
    run_id = user_run.new_id(started_at)
    rounds = settings.rounds or 1
    machine = describe(boards.gpus)
    found = errand.emissions, errand.notices
    planned = user_run.planned(run_id, started_at, origin_s, errand.command, machine, settings, found, (case,), rounds)
    journal = Journal(errand.directory / f"{run_id}{SUFFIX}", planned)
    trace = trace_path(journal.path)
    ended: list[child_process.Ended] = []
    try:
        with LiveSampler.start(trace, settings.sensor, started_at, origin_s) as station:
            if errand.idle_s:
                begin_s = station.now()
                time.sleep(errand.idle_s)
                journal.idle(Idle(when="before", window_s=(begin_s, station.now())))
            while len(ended) < rounds and not (ended and ended[-1].exit_code):
                ended.append(child_process.run(errand.program, errand.output_to_stderr))
                journal.trial(case, _trial(len(ended), ended[-1], origin_s))
            station.wait_for(ended[-1].end_s - origin_s)
        journal.notice(Notice.of(Code.WHOLE_MACHINE, share(ended)))
        journal.end(datetime.now(UTC).isoformat(timespec="milliseconds"))
    except BaseException:
        if not ended:  # there is nothing to keep
            journal.path.unlink(missing_ok=True)
            trace.unlink(missing_ok=True)
        raise
    finally:
        journal.close()
    return finish(journal.path), tuple(ended)


def _trial(number: int, ended: child_process.Ended, origin_s: float) -> Trial:
    """One time that the command was run; failed where its exit code says so, with its energy all the same."""
    trial = user_run.trial(number, (ended.begin_s - origin_s, ended.end_s - origin_s))
    if not ended.exit_code:
        return trial
    code = "killed" if ended.signalled else "exit_code"
    reason = f"it ended with exit code {ended.exit_code}"
    return trial.model_copy(update={"status": "failed", "reason_code": code, "reason": reason})


def share(ended: Sequence[child_process.Ended]) -> str:
    """How much of the CPU time that was used was the command's, in words."""
    own_s, all_s = sum(each.cpu_s for each in ended), sum(each.machine_cpu_s for each in ended)
    part = f" ({min(1.0, own_s / all_s):.0%})" if all_s > 0 else ""
    return f"the command and its children used {own_s:.3g} of the {max(own_s, all_s):.3g} s of CPU time{part}"
