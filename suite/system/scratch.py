"""Temporary directories that do not outlive their process for long: what a killed one leaves, the next one removes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from joulemark.suite.errors import UsageError

PREFIX = "joulemark-"
MARK = ".joulemark-scratch"
"""A file in each such directory: others may have directories whose names begin as ours do."""


@contextlib.contextmanager
def scratch_directory(prefix: str = PREFIX) -> Iterator[Path]:
    """Yield a temporary directory of this process's own; those that dead processes left are removed first.

    Args:
        prefix: The begin of its name, itself beginning with `PREFIX`.

    Raises:
        UsageError: where none can be made.
    """
    try:
        _sweep(Path(tempfile.gettempdir()))
        path = Path(tempfile.mkdtemp(prefix=prefix))
        descriptor = _lock(path)
    except OSError as error:
        raise UsageError(f"cannot make a temporary directory: {error.strerror}. Set TMPDIR to a folder.") from None
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def _lock(path: Path) -> int:
    """Lock a new directory, then mark it; return its descriptor. The kernel ends the lock with this process."""
    descriptor = os.open(path, os.O_RDONLY)
    with contextlib.suppress(OSError):  # no locks on this file system: it stays unmarked, and is never swept
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (path / MARK).touch()
    return descriptor


def _sweep(parent: Path) -> None:
    """Remove the marked directories in `parent` that are this user's and that no process has locked."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    _remove_if_dead(entry.path)


def _remove_if_dead(path: str) -> None:
    """Remove one directory. Raises OSError where it is not ours, not marked, or its process lives."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            return
        os.stat(MARK, dir_fd=descriptor, follow_symlinks=False)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)
