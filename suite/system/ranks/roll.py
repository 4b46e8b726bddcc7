"""The ranks of a job on this node that use joulemark, and which of them have died.

Each has a file in a directory of the job, and a lock on it for as long as it lives: the kernel ends the lock with the
process, however that ends. Ranks that do not share a temporary directory know nothing of one another.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joulemark.suite.system.ranks.rank import Rank

PREFIX = "joulemark-ranks-"
RESTARTS = "TORCHELASTIC_RESTART_COUNT"
ENDED = "ended"
JOIN_ATTEMPTS = 5


@dataclass(frozen=True)
class RollEntry:
    """A rank on this node, as it was found."""

    local_rank: int
    rank: int | None
    died: str | None
    """How it ended, where it did not come to its end; None where it lives or has ended well."""
    visible: Mapping[str, str]
    """Its variables that select GPUs."""


def directory_of(rank: Rank, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the directory of the ranks that are with `rank` on one node."""
    node = "" if rank.node_rank is None else rank.node_rank
    name = f"{PREFIX}{os.geteuid()}-{rank.job}-{node}-{environment.get(RESTARTS, '')[:9]}"
    return Path(tempfile.gettempdir()) / name.replace(os.sep, "_")


_own_files: dict[Path, int] = {}
"""The files of this process, and its id: a forked child does not inherit the locks. They are never opened a second
time: closing them would end the lock (fcntl(2))."""


class RollFile:
    """This process's file among those of the ranks on its node. The process keeps its lock until it ends."""

    def __init__(self, path: Path, descriptor: int, entry: Mapping[str, Any]) -> None:
        """Keep a file that is locked already."""
        self.path = path
        self._descriptor = descriptor
        self._entry = entry
        _own_files[path] = os.getpid()
        atexit.register(self.end)

    def end(self) -> None:
        """Write how the program ends. Removes the directory where no rank in it lives. Not in a forked child."""
        if not _is_own(self.path):
            return
        raised = getattr(sys, "last_type", None)  # the exception that ends the program
        state = ENDED if raised is None else f"ended with {raised.__name__}"
        with contextlib.suppress(OSError):
            _write(self._descriptor, {**self._entry, "state": state})
            if state == ENDED and not any(entry.died for entry in read(self.path.parent)):
                _own_files.pop(self.path)
                _remove_if_ended(self.path.parent)


def join(rank: Rank, visible: Mapping[str, str]) -> RollFile | None:
    """Take part under the number of `rank`. None where no directory can be made, or another process has that number.

    Args:
        rank: This process.
        visible: Its variables that select GPUs.
    """
    directory = directory_of(rank)
    for _ in range(JOIN_ATTEMPTS):  # a rank that ends may remove the directory meanwhile
        try:
            return _join(directory, rank, visible)
        except FileNotFoundError:
            continue
        except OSError:
            break
    return None


def _join(directory: Path, rank: Rank, visible: Mapping[str, str]) -> RollFile | None:
    """Take part in `directory`; None where it is another user's, or that number is taken."""
    _sweep(directory)
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return None  # anybody may make folders where temporary files are
    path = directory / f"{rank.local_rank}.json"
    if _is_locked(path):
        return None  # a child of that rank has its variables too
    entry = {"local_rank": rank.local_rank, "rank": rank.rank, "visible": dict(visible), "state": "running"}
    temporary = directory / f".{os.getpid()}.json"
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    _write(descriptor, entry)
    temporary.rename(path)
    return RollFile(path, descriptor, entry)


def read(directory: Path) -> tuple[RollEntry, ...]:
    """Return the ranks that have joined in `directory`, but for this process, by local rank."""
    entries = []
    with contextlib.suppress(OSError):
        for path in sorted(directory.glob("[0-9]*.json")):
            if not _is_own(path):
                with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                    entries.append(_read_one(path))
    return tuple(sorted(entries, key=lambda entry: entry.local_rank))


def _read_one(path: Path) -> RollEntry:
    lives = _is_locked(path)  # before its state is read: it may end meanwhile
    entry = json.loads(path.read_text())
    state = entry["state"]
    died = None if lives or state == ENDED else "was killed" if state == "running" else str(state)
    return RollEntry(int(entry["local_rank"]), entry["rank"], died, entry["visible"])


def _is_locked(path: Path) -> bool:
    """Return whether a process holds the lock of a file. False where there is no file."""
    if _is_own(path):
        return True
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_own(path: Path) -> bool:
    return _own_files.get(path) == os.getpid()


def _write(descriptor: int, entry: Mapping[str, Any]) -> None:
    data = json.dumps(entry).encode()
    os.pwrite(descriptor, data, 0)
    os.ftruncate(descriptor, len(data))


def _sweep(own: Path) -> None:
    """Remove what ranks of this user have left: directories, and the files of an earlier job of the same name."""
    for directory in own.parent.glob(f"{PREFIX}{os.geteuid()}-*"):
        if directory != own:
            _remove_if_ended(directory)
    files = list(own.glob("*.json"))
    if not any(map(_is_locked, files)):
        for path in files:
            path.unlink(missing_ok=True)


def _remove_if_ended(directory: Path) -> None:
    """Remove `directory` where no rank in it lives."""
    if not any(map(_is_locked, directory.iterdir())):
        shutil.rmtree(directory, ignore_errors=True)
