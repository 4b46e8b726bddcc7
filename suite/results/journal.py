"""The journal: each finished trial is on disk before the next starts, and a run file is made from it at any time.

`<id>.journal` holds one JSON document a line: first the run file as planned, then what happened, in order. The
sampler writes its trace beside it, `<id>.trace`. Both are removed once `<id>.json` is written.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from suite.errors import UsageError
from suite.measure.launcher import TIMEOUT
from suite.notices import Code
from suite.power.doubts import sensor_notices
from suite.power.readings import readings
from suite.power.second_opinion import compared
from suite.power.traces import load as load_traces
from suite.results.disturbances import differences_from_eager
from suite.results.records import (
    NOT_ATTEMPTED,
    Case,
    Floor,
    Idle,
    Notice,
    Probe,
    RunFile,
    SecondOpinion,
    Segment,
    Trace,
    Trial,
    write,
)
from suite.results.roofline import beyond_the_roof
from suite.results.summary import case_summary
from suite.results.validity import case_notices, run_notices

SUFFIX = ".journal"
COMMAND = "command"
"""The framework of a command's case."""


class Journal:
    """Writes what happens in a run, durably."""

    def __init__(self, path: Path, planned: RunFile) -> None:
        """Start the journal of `planned`. UsageError where `path` cannot be written."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}. Choose another place with --out.") from None
        try:
            self._write(planned=planned.model_dump(mode="json"))
        except UsageError:
            path.unlink()  # a run that never began leaves nothing
            raise

    def trial(self, case: Case, trial: Trial) -> None:
        """A trial has ended."""
        self._write(trial=trial.model_dump(mode="json"), case=case.id)

    def skipped(self, case: Case, reason_code: str, reason: str) -> None:
        """A case cannot be run."""
        self._write(skipped={"reason_code": reason_code, "reason": reason}, case=case.id)

    def idle(self, idle: Idle) -> None:
        """The machine was at rest over this window."""
        self._write(idle=idle.model_dump(mode="json"))

    def floor(self, floor: Floor) -> None:
        """The fixed loop was run."""
        self._write(floor=floor.model_dump(mode="json"))

    def probe(self, probe: Probe) -> None:
        """The machine was probed."""
        self._write(probe=probe.model_dump(mode="json"))

    def second_opinion(self, said: SecondOpinion) -> None:
        """Another tool's tracker has ended."""
        self._write(second_opinion=said.model_dump(mode="json"))

    def notice(self, notice: Notice) -> None:
        """Something that concerns the whole run."""
        self._write(notice=notice.model_dump(mode="json"))

    def end(self, finished_at: str) -> None:
        """The run is over."""
        self._write(finished_at=finished_at)

    def _write(self, **fields: Any) -> None:
        """Add a line, durably and whole: where there is no room for all of it, none of it stays. UsageError."""
        line = memoryview((json.dumps(fields) + "\n").encode())
        before = self._file.tell()
        try:
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.seek(before)
                self._file.truncate()
            raise UsageError(
                f"cannot write {self.path}: {error.strerror}. What was finished before is kept, and --resume "
                f"{self.path.stem} goes on from there."
            ) from None

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def forget(self) -> None:
        """Leave nothing of a run that could not begin: neither the journal nor its trace."""
        self.close()
        self.path.unlink()
        trace_path(self.path).unlink(missing_ok=True)


def trace_path(journal: Path) -> Path:
    """Where the sampler writes for the run of `journal`."""
    return journal.with_suffix(".trace")


def finish(journal: Path) -> Path:
    """Make the run file from a journal, write it beside it, and remove the journal and its trace. Returns its path."""
    target = journal.with_suffix(".json")
    write(assemble(journal), target)
    journal.unlink()
    trace_path(journal).unlink(missing_ok=True)
    return target


def assemble(journal: Path) -> RunFile:
    """The run file as far as the run has come. UsageError where the journal is not one."""
    lines = _lines(journal)
    try:
        planned = RunFile.model_validate(lines[0]["planned"])
        happened = _Happened(planned, lines[1:])
    except (ValidationError, KeyError, IndexError, TypeError) as error:
        raise UsageError(f"{journal} is not a joulemark journal: {str(error).splitlines()[0]}.") from None
    traces = load_traces(trace_path(journal)) if trace_path(journal).exists() else ()
    return _complete(planned, happened, traces)


def complete(planned: RunFile, happened: Sequence[dict[str, Any]], traces: tuple[Trace, ...]) -> RunFile:
    """The run file of a run that kept no journal: what `happened` in it, as a journal's lines have it."""
    return _complete(planned, _Happened(planned, happened), traces)


def _lines(journal: Path) -> list[dict[str, Any]]:
    """The documents of a journal. A last line that was cut off is left out: its trial did not end."""
    try:
        texts = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {journal}: {error}.") from None
    if texts and not texts[-1].endswith("\n"):
        texts.pop()
    try:
        return [json.loads(text) for text in texts]
    except json.JSONDecodeError as error:
        raise UsageError(f"{journal} is not a joulemark journal: {error}.") from None


class _Happened:
    """What a journal's lines add up to."""

    def __init__(self, planned: RunFile, lines: Sequence[dict[str, Any]]) -> None:
        self.trials: dict[str, list[Trial]] = {case.id: [] for case in planned.cases}
        self.skipped: dict[str, dict[str, str]] = {}
        self.idle: list[Idle] = []
        self.floor: list[Floor] = []
        self.probes: list[Probe] = []
        self.second_opinion: SecondOpinion | None = None
        self.notices: list[Notice] = []
        self.segments: list[Segment] = []
        self.finished_at: str | None = None
        for line in lines:
            if "trial" in line:
                self.trials[line["case"]].append(Trial.model_validate(line["trial"]))
            elif "skipped" in line:
                self.skipped[line["case"]] = line["skipped"]
            elif "idle" in line:
                self.idle.append(Idle.model_validate(line["idle"]))
            elif "floor" in line:
                self.floor.append(Floor.model_validate(line["floor"]))
            elif "probe" in line:
                self.probes.append(Probe.model_validate(line["probe"]))
            elif "second_opinion" in line:
                self.second_opinion = SecondOpinion.model_validate(line["second_opinion"])
            elif "notice" in line:
                self.notices.append(Notice.model_validate(line["notice"]))
            elif "finished_at" in line:
                self.finished_at = line["finished_at"]


def _complete(planned: RunFile, happened: _Happened, traces: tuple[Trace, ...]) -> RunFile:
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
