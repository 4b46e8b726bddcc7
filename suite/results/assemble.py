"""Make a run file from a journal and its trace: the energy of each window, summaries and notices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from joulemark.suite.energy.attribution import ReadingKey
from joulemark.suite.energy.idle import IdlePower, mean_idle_power
from joulemark.suite.energy.publication_lag import with_publication_lags
from joulemark.suite.energy.sensor_checks import sensor_notices
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import NOT_ATTEMPTED, Case, Gpu, Notice, Part, RunFile, Trace, Trial, write
from joulemark.suite.records.checks.run_file import contradictions
from joulemark.suite.records.files import refuse
from joulemark.suite.records.journal import trace_path
from joulemark.suite.records.journal_lines import Event, JournalState, read_events
from joulemark.suite.results.gpus.across import with_gpus_compared
from joulemark.suite.results.ranks.efficiency import with_efficiency
from joulemark.suite.results.roofline import above_the_roof
from joulemark.suite.results.summary import case_summary, with_summary
from joulemark.suite.results.validity import binding_notices, case_notices, differences_from_eager, run_notices
from joulemark.suite.sensors.external_tracker import with_comparison
from joulemark.suite.sensors.trace_file import read as read_traces
from joulemark.suite.system.output import temporary_files
from joulemark.suite.trial.outcome import TIMEOUT

COMMAND = "command"
"""The framework of a case that measures a command."""


def finish(journal: Path) -> Path:
    """Return the run file written from `journal`, which is removed together with its trace.

    Only for who has the journal's lock: another process would remove what this one reads.
    """
    target = journal.with_suffix(".json")
    write(assemble(journal), target)
    journal.unlink()
    remove_leftovers(target)
    return target


def remove_leftovers(run_file: Path) -> None:
    """Remove what processes that were killed have left beside a finished run: its trace, and half of its file."""
    for path in (trace_path(run_file), *temporary_files(run_file)):
        path.unlink(missing_ok=True)


def assemble(journal: Path) -> RunFile:
    """Return the run file of `journal`, as far as the run has come, without what is damaged of it.

    Raises UsageError if the file is not a journal, or one of a run that cannot be.
    """
    events, damaged = read_events(journal)
    planned = next((event.planned for event in events if event.planned is not None), None)
    if planned is None:
        raise UsageError(f"{journal} is not a joulemark journal, or what it begins with, the run's plan, is damaged.")
    traces, problem = read_traces(trace_path(journal))
    run_file = _run_file(planned, JournalState(planned, events, damaged), traces, problem)
    refuse(str(journal), list(contradictions(run_file)))
    return run_file


def assemble_events(planned: RunFile, events: Sequence[dict[str, Any]], traces: tuple[Trace, ...]) -> RunFile:
    """Return the run file of a run without a journal, from `events` in the form of a journal's lines."""
    return _run_file(planned, JournalState(planned, map(Event.model_validate, events)), traces)


def _run_file(planned: RunFile, state: JournalState, new_traces: tuple[Trace, ...], trace_problem: str = "") -> RunFile:
    """Return the planned run file with what happened. If resumed, it holds its earlier trials, idle and traces."""
    gpus = planned.machine.gpus
    ends_s = [t.last_step_s for trials in state.trials.values() for t in trials.values() if t.last_step_s is not None]
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
    idle_power = mean_idle_power(idle)
    cases = [_with_summary(case, idle_power, planned, traces) for case in cases]
    cases = with_gpus_compared(with_efficiency(cases, gpus), gpus, traces)
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
    interrupted = _interrupted(cases, missing, planned) if missing else []
    damage = _damage(state.damaged, trace_problem)
    notices = (*planned.notices, *state.notices, *damage, *interrupted, *run_notices(run_file))
    return run_file.model_copy(update={"notices": notices})


def _with_trials(case: Case, state: JournalState, traces: Sequence[Trace], planned: RunFile) -> Case:
    """Add the new trials with their energy, and set the status: ok if any trial is, else that of the last one."""
    trials = (*case.trials, *(_with_energy(trial, case, traces, planned) for trial in state.trials[case.id].values()))
    outcome: dict[str, str | None] = {}
    if trials:
        decisive = next((trial for trial in trials if trial.status == "ok"), trials[-1])
        failed = decisive.status != "ok"
        outcome = {
            "status": decisive.status,
            "reason_code": decisive.reason_code if failed else None,
            "reason": decisive.reason if failed else None,
        }
    skip = state.skipped.get(case.id)
    return case.model_copy(update={"trials": trials, **outcome, **(skip.model_dump() if skip is not None else {})})


def _with_energy(trial: Trial, case: Case, traces: Sequence[Trace], planned: RunFile) -> Trial:
    """Add the energy readings of the trial's window, and of its idle window with the program resident."""
    if trial.window_s is None:
        return trial
    # A single step has no period that could alias with a sensor's; nor has code whose steps were not marked.
    step_s = trial.window_length_s / trial.steps if trial.steps > 1 else None
    gpus = planned.machine.gpus
    resident = trial.resident_idle
    if resident is not None:
        energy = compute_readings(traces, resident.window_s, case.charged_devices, gpus)
        resident = resident.model_copy(update={"energy": energy})
    energy = compute_readings(traces, trial.window_s, case.charged_devices, gpus, step_s)
    parts = {name: _part_with_energy(part, case, traces, gpus) for name, part in trial.parts.items()}
    return trial.model_copy(update={"energy": energy, "resident_idle": resident, "parts": parts})


def _part_with_energy(part: Part, case: Case, traces: Sequence[Trace], gpus: Sequence[Gpu]) -> Part:
    """Add the energy readings of the window of a part of the step."""
    begin_s, end_s = part.window_s
    step_s = (end_s - begin_s) / part.steps if part.steps > 1 else None
    return part.model_copy(
        update={"energy": compute_readings(traces, part.window_s, case.charged_devices, gpus, step_s)}
    )


def _missing_trials(case: Case, rounds: int) -> int:
    """Return how many trials were not attempted; none after a timeout, which another trial would only repeat."""
    timed_out = any(trial.reason_code == TIMEOUT for trial in case.trials)
    return 0 if timed_out else max(0, rounds - len(case.trials))


def _with_summary(case: Case, idle: Mapping[ReadingKey, IdlePower], planned: RunFile, traces: Sequence[Trace]) -> Case:
    summary = case_summary(case, idle, planned.emissions)
    machine = planned.machine
    notices = (
        *case_notices(case, summary),
        *binding_notices(case.ok_trials, machine.cpu),
        *sensor_notices(case.ok_trials, traces, case.charged_devices, machine.gpus),
    )
    return with_summary(case.model_copy(update={"notices": notices}), summary)


def _with_notices(cases: Iterable[Case], *notices: Mapping[str, Notice]) -> list[Case]:
    return [
        case.model_copy(update={"notices": (*case.notices, *(by_id[case.id] for by_id in notices if case.id in by_id))})
        for case in cases
    ]


def _damage(journal_lines: int, trace_problem: str) -> Iterator[Notice]:
    if journal_lines:
        yield Notice.of(Code.JOURNAL_DAMAGED, journal_lines)
    if trace_problem:
        yield Notice.of(Code.TRACE_DAMAGED, trace_problem)


def _interrupted(cases: Sequence[Case], missing: int, planned: RunFile) -> list[Notice]:
    """Return the notice of `missing` trials and how to resume; none for a failed command, which is not run again."""
    notice = Notice.of(Code.RUN_INCOMPLETE, missing)
    if any(case.framework == COMMAND for case in cases):
        if any(trial.status == "failed" for case in cases for trial in case.trials):
            return []
        return [notice.model_copy(update={"remedy": "Measure it again: a command cannot be resumed."})]
    if any(case.arm is not None for case in cases):
        return [notice.model_copy(update={"remedy": "Finish it with `joulemark ab --resume RUN`."})]
    if planned.settings.over:
        return [notice.model_copy(update={"remedy": "Finish it with `joulemark sweep --resume RUN`."})]
    return [notice]
