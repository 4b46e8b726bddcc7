"""Make a run file from a journal and its trace: the energy of each window, summaries and notices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from joulemark.suite.energy.publication_lag import with_publication_lags
from joulemark.suite.energy.sensor_checks import sensor_notices
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import NOT_ATTEMPTED, Case, Idle, Notice, RunFile, Trace, Trial, write
from joulemark.suite.records.journal import JournalState, read_lines, trace_path
from joulemark.suite.results.roofline import above_the_roof
from joulemark.suite.results.summary import case_summary
from joulemark.suite.results.validity import binding_notices, case_notices, differences_from_eager, run_notices
from joulemark.suite.sensors.external_tracker import with_comparison
from joulemark.suite.sensors.trace_file import load as load_traces
from joulemark.suite.trial.outcome import TIMEOUT

COMMAND = "command"
"""The framework of a case that measures a command."""


def finish(journal: Path) -> Path:
    """Return the run file written from `journal`, which is removed together with its trace."""
    target = journal.with_suffix(".json")
    write(assemble(journal), target)
    journal.unlink()
    trace_path(journal).unlink(missing_ok=True)
    return target


def assemble(journal: Path) -> RunFile:
    """Return the run file of `journal`, as far as the run has come. Raises UsageError if the file is not a journal."""
    lines = read_lines(journal)
    try:
        planned = RunFile.model_validate(lines[0]["planned"])
        state = JournalState(planned, lines[1:])
    except (ValidationError, KeyError, IndexError, TypeError) as error:
        raise UsageError(f"{journal} is not a joulemark journal: {str(error).splitlines()[0]}.") from None
    trace = trace_path(journal)
    return _run_file(planned, state, load_traces(trace) if trace.exists() else ())


def assemble_events(planned: RunFile, events: Sequence[dict[str, Any]], traces: tuple[Trace, ...]) -> RunFile:
    """Return the run file of a run without a journal, from `events` in the form of a journal's lines."""
    return _run_file(planned, JournalState(planned, events), traces)


def _run_file(planned: RunFile, state: JournalState, new_traces: tuple[Trace, ...]) -> RunFile:
    """Return the planned run file with what happened. If resumed, it holds its earlier trials, idle and traces."""
    gpus = planned.machine.gpus
    ends_s = [t.last_step_s for trials in state.trials.values() for t in trials if t.last_step_s is not None]
    new_traces = with_publication_lags(new_traces, ends_s, method="the end of the last step of trials")
    traces = (*planned.traces, *new_traces)
    probes = (*planned.probes, *state.probes)
    # Idle power is attributed to no case. Asked for the CPU, the readings list the GPUs too.
    new_idle = (
        entry.model_copy(update={"energy": compute_readings(new_traces, entry.window_s, "cpu", gpus)})
        for entry in state.idle
    )
    idle = (*planned.idle, *new_idle)
    cases = [_with_trials(case, state, new_traces, planned) for case in planned.cases]
    missing = sum(
        _missing_trials(case, planned.run.rounds)
        for before, case in zip(planned.cases, cases, strict=True)
        if (case.trials or before.reason_code == NOT_ATTEMPTED) and case.id not in state.skipped
    )
    cases = [_with_summary(case, idle, planned, traces) for case in cases]
    cases = _with_notices(cases, differences_from_eager(cases), above_the_roof(cases, probes))
    tracked = state.second_opinion
    run_file = planned.model_copy(
        update={
            "run": planned.run.model_copy(update={"finished_at": state.finished_at, "complete": missing == 0}),
            "cases": tuple(cases),
            "idle": idle,
            "floor": (*planned.floor, *state.floor),
            "probes": probes,
            "traces": traces,
            "second_opinion": planned.second_opinion if tracked is None else with_comparison(tracked, new_traces, gpus),
        }
    )
    interrupted = _interrupted(cases, missing) if missing else []
    notices = (*planned.notices, *state.notices, *interrupted, *run_notices(run_file))
    return run_file.model_copy(update={"notices": notices})


def _with_trials(case: Case, state: JournalState, traces: Sequence[Trace], planned: RunFile) -> Case:
    """Add the new trials with their energy, and set the status: ok if any trial is, else that of the last one."""
    trials = (*case.trials, *(_with_energy(trial, case, traces, planned) for trial in state.trials[case.id]))
    outcome: dict[str, str | None] = {}
    if trials:
        decisive = next((trial for trial in trials if trial.status == "ok"), trials[-1])
        failed = decisive.status != "ok"
        outcome = {
            "status": decisive.status,
            "reason_code": decisive.reason_code if failed else None,
            "reason": decisive.reason if failed else None,
        }
    return case.model_copy(update={"trials": trials, **outcome, **state.skipped.get(case.id, {})})


def _with_energy(trial: Trial, case: Case, traces: Sequence[Trace], planned: RunFile) -> Trial:
    """Add the energy readings of the trial's window, and of its idle window with the program resident."""
    if trial.window_s is None:
        return trial
    # A single step has no period that could alias with a sensor's; nor has code whose steps were not marked.
    step_s = trial.window_length_s / trial.steps if trial.steps > 1 else None
    gpus = planned.machine.gpus
    resident = trial.resident_idle
    if resident is not None:
        energy = compute_readings(traces, resident.window_s, case.device, gpus)
        resident = resident.model_copy(update={"energy": energy})
    energy = compute_readings(traces, trial.window_s, case.device, gpus, step_s)
    return trial.model_copy(update={"energy": energy, "resident_idle": resident})


def _missing_trials(case: Case, rounds: int) -> int:
    """Return how many trials were not attempted; none after a timeout, which another trial would only repeat."""
    timed_out = any(trial.reason_code == TIMEOUT for trial in case.trials)
    return 0 if timed_out else max(0, rounds - len(case.trials))


def _with_summary(case: Case, idle: tuple[Idle, ...], planned: RunFile, traces: Sequence[Trace]) -> Case:
    summary = case_summary(case, idle, planned.emissions)
    machine = planned.machine
    notices = (
        *case_notices(case, summary),
        *binding_notices(case.ok_trials, machine.cpu),
        *sensor_notices(case.ok_trials, traces, case.device, machine.gpus),
    )
    return case.model_copy(update={"summary": summary, "notices": notices})


def _with_notices(cases: Iterable[Case], *notices: Mapping[str, Notice]) -> list[Case]:
    return [
        case.model_copy(update={"notices": (*case.notices, *(by_id[case.id] for by_id in notices if case.id in by_id))})
        for case in cases
    ]


def _interrupted(cases: Sequence[Case], missing: int) -> list[Notice]:
    """Return the notice of `missing` trials and how to resume; none for a failed command, which is not run again."""
    notice = Notice.of(Code.RUN_INCOMPLETE, missing)
    if any(case.framework == COMMAND for case in cases):
        if any(trial.status == "failed" for case in cases for trial in case.trials):
            return []
        return [notice.model_copy(update={"remedy": "Measure it again: a command cannot be resumed."})]
    if any(case.arm is not None for case in cases):
        return [notice.model_copy(update={"remedy": "Finish it with `joulemark ab --resume RUN`."})]
    return [notice]
