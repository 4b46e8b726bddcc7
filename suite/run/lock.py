"""The lock that lets one run measure at a time on a machine.

It is flock(2) on a file that everyone may open: the kernel releases it when its owner ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from joulemark.suite.errors import UsageError

DEFAULT = Path("/tmp/joulemark.lock")
"""One place for all: TMPDIR differs between users and jobs of a machine. JOULEMARK_LOCK names another."""


@contextlib.contextmanager
def hold(owner: str, path: Path | None = None) -> Iterator[None]:
    """Hold the machine's lock for the run `owner`. Raises UsageError, naming the other run, if it is taken."""
    path = path or Path(os.environ.get("JOULEMARK_LOCK") or DEFAULT)
    try:
        # Without O_CREAT first: the kernel refuses it on another user's file in a sticky directory
        # (sysctl fs.protected_regular).
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            os.fchmod(descriptor, 0o666)
    except OSError as error:
        raise UsageError(f"cannot open the lock {path}: {error.strerror}. Remove it, or ask its owner to.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another run"
            raise UsageError(
                f"{holder} is measuring on this machine: concurrent runs skew each other. Wait until it has finished."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{owner} (process {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(descriptor)
