"""Paths that depend on the user and the machine: the home directory, and folders for temporary files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from joulemark.suite.errors import UsageError


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return `path` with a leading `~` or `~user` replaced. UsageError where that user has no home directory."""
    whole = Path(os.path.expanduser(path))
    if str(whole).startswith("~") and not whole.exists():  # else it is a file of that name
        raise UsageError(f"{path}: that user has no home directory. Give an absolute path.")
    return whole


@contextlib.contextmanager
def scratch_directory(prefix: str) -> Iterator[Path]:
    """Yield a temporary directory. UsageError where none can be made."""
    try:
        directory = tempfile.TemporaryDirectory(prefix=prefix)
    except OSError as error:
        raise UsageError(f"cannot make a temporary directory: {error.strerror}. Set TMPDIR to a folder.") from None
    with directory as name:
        yield Path(name)
