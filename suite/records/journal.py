"""The journal of a run: one fsynced line for each event, so each finished trial is on disk before the next starts.

`<id>.journal` holds one JSON document a line: the planned run file, then the events in order. The sampler writes its
trace beside it, `<id>.trace`. Both are removed once `<id>.json` is written.

The process that writes a journal holds a lock of it (flock(2), which works over NFS too): machines that share a home do
not measure the same run.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from joulemark.suite.errors import UsageError
from joulemark.suite.records.case import Case, Trial
from joulemark.suite.records.energy import SecondOpinion
from joulemark.suite.records.notice import Notice
from joulemark.suite.records.run import Floor, Idle, Probe, RunFile
from joulemark.suite.system.text import read_text

SUFFIX = ".journal"


class Journal:
    """Writes the events of a run, durably."""

    def __init__(self, path: Path, planned: RunFile) -> None:
        """Start the journal of `planned`. Raises UsageError if `path` cannot be written."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb", buffering=0)
        except FileExistsError:
            raise UsageError(
                f"{path} exists: this run is being measured by another process, or was interrupted. Continue it with "
                f"--resume {path.stem}."
            ) from None
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}. Choose another place with --out.") from None
        _lock(self._file)
        try:
            self._write(planned=planned.model_dump(mode="json"))
        except UsageError:
            path.unlink()  # a run that fails to start leaves no files
            raise

    def trial(self, case: Case, trial: Trial) -> None:
        """Record a trial that has ended."""
        self._write(trial=trial.model_dump(mode="json"), case=case.id)

    def skipped(self, case: Case, reason_code: str, reason: str) -> None:
        """Record a case that cannot be run."""
        self._write(skipped={"reason_code": reason_code, "reason": reason}, case=case.id)

    def idle(self, idle: Idle) -> None:
        """Record a window in which the machine was idle."""
        self._write(idle=idle.model_dump(mode="json"))

    def floor(self, floor: Floor) -> None:
        """Record a measurement of the noise floor."""
        self._write(floor=floor.model_dump(mode="json"))

    def probe(self, probe: Probe) -> None:
        """Record a probe of the machine."""
        self._write(probe=probe.model_dump(mode="json"))

    def second_opinion(self, second_opinion: SecondOpinion) -> None:
        """Record the result of another tool's tracker."""
        self._write(second_opinion=second_opinion.model_dump(mode="json"))

    def notice(self, notice: Notice) -> None:
        """Record a notice about the whole run."""
        self._write(notice=notice.model_dump(mode="json"))

    def end(self, finished_at: str) -> None:
        """Record the end of the run."""
        self._write(finished_at=finished_at)

    def _write(self, **fields: Any) -> None:
        """Append a line durably, whole or not at all. Raises UsageError if there is no room for it."""
        line = memoryview((json.dumps(fields) + "\n").encode())
        start = self._file.tell()
        try:
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.seek(start)
                self._file.truncate()
            raise UsageError(
                f"cannot write {self.path}: {error.strerror}. Finished trials are kept; continue with --resume "
                f"{self.path.stem}."
            ) from None

    def close(self) -> None:
        self._file.close()

    def delete(self) -> None:
        """Close and delete the journal and its trace: a run that fails to start leaves no files."""
        self.close()
        self.path.unlink()
        trace_path(self.path).unlink(missing_ok=True)


def trace_path(journal: Path) -> Path:
    """Return the path of the sampler's trace for the run of `journal`."""
    return journal.with_suffix(".trace")


@contextlib.contextmanager
def claim(journal: Path) -> Iterator[None]:
    """Hold the lock of a journal that no process is writing, to finish it. UsageError if one is, maybe elsewhere."""
    try:
        file = journal.open("rb+")
    except OSError as error:
        raise UsageError(
            f"cannot write {journal}: {error.strerror}. Resume the run as the user who began it."
        ) from None
    with file:
        # Whoever finished it meanwhile has removed it.
        if not _lock(file) or not os.fstat(file.fileno()).st_nlink:
            raise UsageError(
                f"run {journal.stem} is being measured by another process, maybe on another machine: wait until it has "
                "finished."
            )
        yield


def _lock(file: BinaryIO) -> bool:
    """Lock a journal until it is closed; return whether no other process has it, as far as its file system knows."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks there
        return True
    return True


def read_lines(journal: Path) -> list[dict[str, Any]]:
    """Return the documents of a journal, without an incomplete last line: its trial did not end.

    Raises UsageError if the journal cannot be read, or is not one.
    """
    try:
        lines = read_text(journal).splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {journal}: {error}.") from None
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    try:
        return [json.loads(line) for line in lines]
    except json.JSONDecodeError as error:
        raise UsageError(f"{journal} is not a joulemark journal: {error}.") from None


class JournalState:
    """The records of a run, collected from the events of its journal."""

    def __init__(self, planned: RunFile, events: Sequence[dict[str, Any]]) -> None:
        self.trials: dict[str, list[Trial]] = {case.id: [] for case in planned.cases}
        self.skipped: dict[str, dict[str, str]] = {}
        self.idle: list[Idle] = []
        self.floor: list[Floor] = []
        self.probes: list[Probe] = []
        self.second_opinion: SecondOpinion | None = None
        self.notices: list[Notice] = []
        self.finished_at: str | None = None
        for event in events:
            if "trial" in event:
                self.trials[event["case"]].append(Trial.model_validate(event["trial"]))
            elif "skipped" in event:
                self.skipped[event["case"]] = event["skipped"]
            elif "idle" in event:
                self.idle.append(Idle.model_validate(event["idle"]))
            elif "floor" in event:
                self.floor.append(Floor.model_validate(event["floor"]))
            elif "probe" in event:
                self.probes.append(Probe.model_validate(event["probe"]))
            elif "second_opinion" in event:
                self.second_opinion = SecondOpinion.model_validate(event["second_opinion"])
            elif "notice" in event:
                self.notices.append(Notice.model_validate(event["notice"]))
            elif "finished_at" in event:
                self.finished_at = event["finished_at"]
