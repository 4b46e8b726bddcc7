"""The lines of a journal, and what they add up to.

A line is one JSON object with a checksum of itself as its last member, `"crc32"`, so that a damaged line is known and
costs only itself. Lines without one, as other versions wrote them, are read too.
"""

from __future__ import annotations

import json
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from joulemark.suite.errors import UsageError
from joulemark.suite.records.base import Record
from joulemark.suite.records.checks.run_file import trial_problems
from joulemark.suite.records.energy import SecondOpinion
from joulemark.suite.records.notice import Notice
from joulemark.suite.records.run import Floor, Idle, Probe, RunFile
from joulemark.suite.records.trial import Trial

_Record = TypeVar("_Record", bound=Record)

_CHECKSUM: Final = re.compile(rb', "crc32": "([0-9a-f]{8})"\}$')


class Skip(Record):
    """Why a case cannot be run."""

    reason_code: str
    reason: str


class Event(Record):
    """One line: one of these, and the case that a trial or a skip belongs to."""

    planned: RunFile | None = None
    trial: Trial | None = None
    skipped: Skip | None = None
    case: str | None = None
    idle: Idle | None = None
    floor: Floor | None = None
    probe: Probe | None = None
    second_opinion: SecondOpinion | None = None
    notice: Notice | None = None
    finished_at: str | None = None


def encode(fields: dict[str, Any]) -> bytes:
    """Return the line of an event, given as JSON values."""
    text = json.dumps(fields)
    return f'{text[:-1]}, "crc32": "{zlib.crc32(text.encode()):08x}"}}\n'.encode()


def decode(line: bytes) -> Event | None:
    """Return the event of a line; None if the line is damaged."""
    text = line.strip()
    if match := _CHECKSUM.search(text):
        text = text[: match.start()] + b"}"
        if zlib.crc32(text) != int(match[1], 16):
            return None
    try:
        return Event.model_validate_json(text)
    except ValidationError:
        return None


def read_events(journal: Path) -> tuple[list[Event], int]:
    """Return the events of a journal and the number of damaged lines. A last line that was cut off is left out: its
    trial did not end. Raises UsageError if the journal cannot be read."""
    try:
        *lines, _ = journal.read_bytes().removeprefix(BOM_UTF8).split(b"\n")
    except OSError as error:
        raise UsageError(f"cannot read {journal}: {error.strerror}.") from None
    events = [decode(line) for line in lines if line.strip()]
    return [event for event in events if event is not None], events.count(None)


class JournalState:
    """The records of a run, collected from the events of its journal."""

    def __init__(self, planned: RunFile, events: Iterable[Event], damaged: int = 0) -> None:
        """Collect `events`, those of a journal with `damaged` lines among them."""
        self.trials: dict[str, dict[int, Trial]] = {case.id: {} for case in planned.cases}
        """By case and round: of a trial that stands twice, the last line counts. The first one may lack what comes
        after its window."""
        self.skipped: dict[str, Skip] = {}
        self.idle: list[Idle] = []
        self.floor: list[Floor] = []
        self.probes: list[Probe] = []
        self.second_opinion: SecondOpinion | None = None
        self.notices: list[Notice] = []
        self.finished_at: str | None = None
        self.damaged = damaged
        """Number of lines that could not be used."""
        self._memory_bytes = planned.machine.memory_bytes
        self._measured = {(case.id, trial.round) for case in planned.cases for trial in case.trials}
        for event in events:
            self._add(event)

    def _add(self, event: Event) -> None:
        if event.trial is not None:
            self._add_trial(event.trial, event.case)
        elif event.skipped is not None and event.case in self.trials:
            self.skipped[event.case] = event.skipped
        _append(self.idle, event.idle)
        _append(self.floor, event.floor)
        _append(self.probes, event.probe)
        _append(self.notices, event.notice)
        self.second_opinion = event.second_opinion or self.second_opinion
        self.finished_at = event.finished_at or self.finished_at

    def _add_trial(self, trial: Trial, case: str | None) -> None:
        if case not in self.trials or any(trial_problems(trial, self._memory_bytes)):
            self.damaged += 1
        elif (case, trial.round) not in self._measured:
            self.trials[case][trial.round] = trial


def _append(records: list[_Record], record: _Record | None) -> None:
    """Add `record`, but for a line that stands twice."""
    if record is not None and record not in records:
        records.append(record)
