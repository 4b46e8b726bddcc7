"""Journals of a run of two cases, for tests of what writes or reads them."""

from __future__ import annotations

from pathlib import Path

from run_files import case, run_file, trial

from joulemark.suite.records import Case, RunFile
from joulemark.suite.records.journal import SUFFIX, Journal

RUN_ID = "20261101T120000Z-a1b2"


def planned_run(run_id: str = RUN_ID, rounds: int = 2) -> RunFile:
    """A run of two cases of which no trial was attempted."""
    not_attempted = {"status": "skipped", "reason_code": "not_attempted", "reason": "not attempted"}
    cases = [
        case(trials=[], framework=framework, mode=mode).model_copy(update=not_attempted)
        for framework, mode in (("pytorch", "eager"), ("tensorflow", "graph"))
    ]
    file = run_file(cases, id=run_id, traces=(), idle=(), floor=())
    return file.model_copy(update={"run": file.run.model_copy(update={"rounds": rounds, "finished_at": None})})


def journal_path(directory: Path, run_id: str = RUN_ID) -> Path:
    """Where the journal of a run lies in `directory`."""
    return directory / f"{run_id}{SUFFIX}"


def write_journal(directory: Path, trials: int = 3, rounds: int = 2) -> Path:
    """Write the journal of a run that was interrupted after `trials` trials, turn by turn of both cases."""
    planned = planned_run(rounds=rounds)
    journal = Journal(journal_path(directory), planned)
    for number in range(trials):
        record_trial(journal, planned.cases[number % 2], 1 + number // 2, start_s=10.0 * (number + 1))
    journal.close()
    return journal.path


def record_trial(journal: Journal, of: Case, round: int = 1, start_s: float = 10.0) -> None:
    """Record an ok trial without energy readings."""
    journal.trial(of, trial(round, start_s=start_s, readings=()))
