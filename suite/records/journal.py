"""The journal: each finished trial is on disk before the next starts.

`<id>.journal` holds one JSON document a line: first the run file as planned, then the events, in order. The sampler
writes its trace beside it, `<id>.trace`. Both are removed once `<id>.json` is written.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joulemark.suite.errors import UsageError
from joulemark.suite.records.case import Case, Trial
from joulemark.suite.records.energy import SecondOpinion
from joulemark.suite.records.notice import Notice
from joulemark.suite.records.run import Floor, Idle, Probe, RunFile, Segment

SUFFIX = ".journal"


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


def read_lines(journal: Path) -> list[dict[str, Any]]:
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


class JournalState:
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
