"""Make a run file from a journal and its trace: energy of each window, summaries and notices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from joulemark.suite.energy.sensor_checks import sensor_notices
from joulemark.suite.energy.window_energy import readings
from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import (
    NOT_ATTEMPTED,
    Case,
    Idle,
    Notice,
    RunFile,
    Trace,
    Trial,
    write,
)
from joulemark.suite.records.journal import JournalState, read_lines, trace_path
from joulemark.suite.results.disturbances import differences_from_eager
from joulemark.suite.results.roofline import beyond_the_roof
from joulemark.suite.results.summary import case_summary
from joulemark.suite.results.validity import case_notices, run_notices
from joulemark.suite.sensors.external_tracker import compared
from joulemark.suite.sensors.trace_file import load as load_traces
from joulemark.suite.trial.fork_server_client import TIMEOUT

COMMAND = "command"
"""The framework of a command's case."""


def finish(journal: Path) -> Path:
    """Make the run file from a journal, write it beside it, and remove the journal and its trace. Returns its path."""
    target = journal.with_suffix(".json")
    write(assemble(journal), target)
    journal.unlink()
    trace_path(journal).unlink(missing_ok=True)
    return target


def assemble(journal: Path) -> RunFile:
    """The run file as far as the run has come. UsageError where the journal is not one."""
    lines = read_lines(journal)
    try:
        planned = RunFile.model_validate(lines[0]["planned"])
        happened = JournalState(planned, lines[1:])
    except (ValidationError, KeyError, IndexError, TypeError) as error:
        raise UsageError(f"{journal} is not a joulemark journal: {str(error).splitlines()[0]}.") from None
    traces = load_traces(trace_path(journal)) if trace_path(journal).exists() else ()
    return _complete(planned, happened, traces)


def complete(planned: RunFile, happened: Sequence[dict[str, Any]], traces: tuple[Trace, ...]) -> RunFile:
    """The run file of a run that kept no journal: what `happened` in it, as a journal's lines have it."""
    return _complete(planned, JournalState(planned, happened), traces)


def _complete(planned: RunFile, happened: JournalState, traces: tuple[Trace, ...]) -> RunFile:
    """The planned run file with what happened in it."""
    gpus = planned.machine.gpus
    # At rest nothing is attributed to a case; a reading for the CPU lists the boards too.
    new_idle = (
        entry.model_copy(update={"energy": readings(traces, entry.window_s, "cpu", gpus)}) for entry in happened.idle
    )
    idle = (*planned.idle, *new_idle)
    missing = 0
    cases = []
    for case in planned.cases:
        new = (_with_energy(trial, case, traces, planned) for trial in happened.trials[case.id])
        # A resumed run has trials already, with the readings of their own segment.
        trials = (*case.trials, *new)
        if (trials or case.reason_code == NOT_ATTEMPTED) and case.id not in happened.skipped:
            # What did not end in its time is given up: another trial would take as long for nothing.
            given_up = any(trial.reason_code == TIMEOUT for trial in trials)
            missing += 0 if given_up else max(0, planned.run.rounds - len(trials))
        outcome = _status(case, trials) | happened.skipped.get(case.id, {})
        finished = case.model_copy(update={"trials": trials, **outcome})
        cases.append(_summarised(finished, idle, planned, (*planned.traces, *traces)))
    probes = (*planned.probes, *happened.probes)
    for found in (differences_from_eager(cases), beyond_the_roof(cases, probes)):
        cases = [
            case.model_copy(update={"notices": (*case.notices, found[case.id])}) if case.id in found else case
            for case in cases
        ]
    said = happened.second_opinion
    opinion = compared(said, traces, gpus) if said is not None else planned.second_opinion
    notices = [*planned.notices, *happened.notices]
    if missing:
        notices += _interrupted(cases, missing)
    run = planned.run.model_copy(update={"finished_at": happened.finished_at, "complete": missing == 0})
    file = planned.model_copy(
        update={
            "run": run,
            "cases": tuple(cases),
            "idle": idle,
            "floor": (*planned.floor, *happened.floor),
            "probes": probes,
            "traces": (*planned.traces, *traces),
            "second_opinion": opinion,
        }
    )
    return file.model_copy(update={"notices": (*notices, *run_notices(file))})


def _interrupted(cases: Sequence[Case], missing: int) -> list[Notice]:
    """That `missing` trials were not attempted, and what goes on with a run of this kind; nothing where a command that
    failed was not run again."""
    notice = Notice.of(Code.RUN_INCOMPLETE, missing)
    if any(case.framework == COMMAND for case in cases):
        remedy = "Measure it again: a command cannot be gone on with."
        failed = any(trial.status == "failed" for case in cases for trial in case.trials)
        return [] if failed else [notice.model_copy(update={"remedy": remedy})]
    if any(case.arm is not None for case in cases):
        return [notice.model_copy(update={"remedy": "`joulemark ab --resume RUN` goes on with it."})]
    return [notice]


def _with_energy(trial: Trial, case: Case, traces: Sequence[Trace], planned: RunFile) -> Trial:
    """The trial with the readings of its window."""
    if trial.window_s is None:
        return trial
    # One step alone has no rhythm that a sensor could keep; somebody's own code is one where no steps were marked.
    step_s = (trial.window_s[1] - trial.window_s[0]) / trial.steps if trial.steps > 1 else None
    gpus = planned.machine.gpus
    rest = trial.resident_idle
    if rest is not None:
        rest = rest.model_copy(update={"energy": readings(traces, rest.window_s, case.device, gpus)})
    energy = readings(traces, trial.window_s, case.device, gpus, step_s)
    return trial.model_copy(update={"energy": energy, "resident_idle": rest})


def _status(case: Case, trials: Sequence[Trial]) -> dict[str, str | None]:
    """Status and reason of a case from its trials: ok where one is."""
    if not trials:
        return {"status": case.status, "reason_code": case.reason_code, "reason": case.reason}
    if any(trial.status == "ok" for trial in trials):
        return {"status": "ok", "reason_code": None, "reason": None}
    last = trials[-1]
    return {"status": last.status, "reason_code": last.reason_code, "reason": last.reason}


def _summarised(case: Case, idle: tuple[Idle, ...], planned: RunFile, traces: Sequence[Trace]) -> Case:
    """The case with its summary and notices."""
    summary = case_summary(case, idle, planned.emissions)
    ok = [trial for trial in case.trials if trial.status == "ok"]
    said = sensor_notices(ok, traces, case.device, planned.machine.gpus)
    return case.model_copy(update={"summary": summary, "notices": (*case_notices(case, summary), *said)})
