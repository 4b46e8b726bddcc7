"""The journal of a run: one fsynced line for each event, so each finished trial is on disk before the next starts.

`<id>.journal` holds one JSON document a line (see `journal_lines`): the planned run file, twice, then the events in
order. The sampler writes its trace beside it, `<id>.trace`. Both are removed once `<id>.json` is written.

The process that writes a journal holds a lock of it (flock(2), which works over NFS too): machines that share a home do
not measure the same run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from joulemark.suite.errors import UsageError
from joulemark.suite.records.case import Case
from joulemark.suite.records.energy import SecondOpinion
from joulemark.suite.records.journal_lines import encode
from joulemark.suite.records.notice import Notice
from joulemark.suite.records.run import Floor, Idle, Probe, RunFile
from joulemark.suite.records.trial import Trial
from joulemark.suite.system.directories import make_private
from joulemark.suite.system.redaction import redacted_document

SUFFIX = ".journal"


class Journal:
    """Writes the events of a run, durably."""

    def __init__(self, path: Path, planned: RunFile) -> None:
        """Start the journal of `planned`. Raises UsageError if `path` cannot be written."""
        self.path = path
        try:
            make_private(path.parent)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(descriptor, "wb", buffering=0)
        except FileExistsError:
            raise UsageError(
                f"{path} exists: this run is being measured by another process, or was interrupted. Continue it with "
                f"--resume {path.stem}."
            ) from None
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}. Choose another place with --out.") from None
        try:
            _lock(self._file)
            for _ in range(2):  # one damaged place must not cost all of the run
                self._write(planned=planned.model_dump(mode="json"))
        except BaseException:
            self.delete()
            raise

    def trial(self, case: Case, trial: Trial) -> None:
        """Record a trial that has ended."""
        self._write(trial=trial.model_dump(mode="json"), case=case.id)

    def skipped(self, case: Case, reason_code: str, reason: str) -> None:
        """Record a case that cannot be run."""
        self._write(skipped={"reason_code": reason_code, "reason": reason}, case=case.id)

    def add(self, **records: Idle | Floor | Probe | SecondOpinion | Notice) -> None:
        """Record something of the whole run, under the name that it has in `journal_lines.Event`."""
        self._write(**{name: record.model_dump(mode="json") for name, record in records.items()})

    def end(self, finished_at: str) -> None:
        """Record the end of the run."""
        self._write(finished_at=finished_at)

    def _write(self, **fields: Any) -> None:
        """Append a line durably, whole or not at all, without secrets. Raises UsageError if there is no room for it."""
        line = memoryview(encode(redacted_document(fields)))
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
