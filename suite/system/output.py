"""Write a file in one step: a reader sees the old content or the new, never a half.

What is no file, such as /dev/stdout or a FIFO, is written in place.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.system.streams import own_descriptor

IRREPLACEABLE = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM)
"""Why rename(2) refuses a file that may be written: it is mounted on its own, or another user's in a sticky folder."""
SHORT_NAME = 40
"""Characters of a file's name that its temporary file has too: a name is 255 bytes at most."""


@contextlib.contextmanager
def output_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file to write; its content becomes that of `path`, whose folders are made.

    Raises:
        UsageError: where `path` cannot be written.
    """
    try:
        with contextlib.suppress(FileExistsError):  # no folder: the error that follows says so
            path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_replacement(path) as temporary:
            yield temporary
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}.") from None


@contextlib.contextmanager
def atomic_replacement(path: Path, mode: int | None = None) -> Iterator[Path]:
    """Yield a temporary file, and put it durably in the place of `path` when the block succeeds.

    Through a symbolic link, the file that it points to is replaced. A device, a FIFO, a descriptor of this process, and
    a file that cannot be replaced get the content in place. If the block raises, `path` stays as it was.

    Args:
        path: The file.
        mode: Its permissions afterwards; by default those it has, or those of a new file under the umask.

    Raises:
        OSError: if it cannot be written, or its folder does not exist.
    """
    in_place = _is_written_in_place(path)
    target = path if in_place else Path(os.path.realpath(path))
    if mode is None and not in_place and target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
    temporary = _elsewhere(path) if in_place else _beside(target, mode)
    try:
        yield temporary
        if in_place:
            _copy(temporary, path)
        else:
            _replace(temporary, target, mode)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _is_written_in_place(path: Path) -> bool:
    """Return whether `path` is no regular file, or one in a folder where none can be made beside it."""
    if own_descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return not stat.S_ISREG(mode) or not os.access(os.path.dirname(os.path.realpath(path)), os.W_OK | os.X_OK)


def _beside(target: Path, mode: int | None) -> Path:
    """Make a temporary file in the folder of `target`; one that gets a `mode` of its own is private until then."""
    temporary = target.parent / f".{target.name[:SHORT_NAME]}.{secrets.token_hex(4)}.tmp"
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600))
    return temporary


def _elsewhere(path: Path) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f"joulemark-{path.name[:SHORT_NAME]}.")
    os.close(descriptor)
    return Path(name)


def _replace(temporary: Path, target: Path, mode: int | None) -> None:
    _sync(temporary)
    if mode is not None:
        temporary.chmod(mode)
    try:
        temporary.replace(target)
    except OSError as error:
        if error.errno not in IRREPLACEABLE or not target.exists():
            raise
        _copy(temporary, target)
        _sync(target)
    # A new name survives a power cut only once its folder is synced (fsync(2)); some file systems cannot do that.
    with contextlib.suppress(OSError):
        _sync(target.parent)


def _copy(temporary: Path, path: Path) -> None:
    """Write the content of `temporary` to `path` as it is."""
    descriptor = own_descriptor(path)
    with (
        temporary.open("rb") as source,
        open(path if descriptor is None else descriptor, "wb", closefd=descriptor is None) as output,
    ):
        shutil.copyfileobj(source, output)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
