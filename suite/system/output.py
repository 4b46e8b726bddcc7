"""Write a file in one step: a reader sees the old content or the new, never a half.

What is no file, such as /dev/stdout or a FIFO, is written in place.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.system.directories import make_private
from joulemark.suite.system.streams import MAX_LINKS, own_descriptor

IRREPLACEABLE = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM)
"""Why rename(2) refuses a file that may be written: it is mounted on its own, or another user's in a sticky folder."""
SHORT_NAME = 40
"""Characters of a file's name that its temporary file has too: a name is 255 bytes at most."""


@contextlib.contextmanager
def output_file(path: Path, private: bool = False) -> Iterator[Path]:
    """Yield a temporary file to write; its content becomes that of `path`, whose folders are made.

    Args:
        path: The file.
        private: Whether it, and the folders, are for this user alone, where they are new.

    Raises:
        UsageError: where `path` cannot be written.
    """
    try:
        with contextlib.suppress(FileExistsError):  # no folder: the error that follows says so
            if private:
                make_private(path.parent)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_replacement(path, private=private) as temporary:
            yield temporary
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}.") from None


@contextlib.contextmanager
def atomic_replacement(path: Path, mode: int | None = None, private: bool = False) -> Iterator[Path]:
    """Yield a temporary file, and put it durably in the place of `path` when the block succeeds.

    Through a symbolic link, the file that it points to is replaced. A device, a FIFO, a descriptor of this process, and
    a file that cannot be replaced get the content in place. If the block raises, `path` stays as it was.

    Args:
        path: The file.
        mode: Its permissions afterwards; by default those it has, or those of a new file under the umask.
        private: Whether a new file is for this user alone.

    Raises:
        OSError: if it cannot be written, or its folder does not exist.
    """
    _refuse_planted_links(path)
    in_place = _is_written_in_place(path)
    target = path if in_place else Path(os.path.realpath(path))
    if mode is None and not in_place and target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
    temporary = _elsewhere(path) if in_place else _beside(target, 0o666 if mode is None and not private else 0o600)
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


def _refuse_planted_links(path: Path, links: int = 0) -> None:
    """Raise PermissionError where another user's link in a folder like /tmp leads to what would be replaced.

    The kernel does not follow these either (sysctl fs.protected_symlinks), unless told to; `os.path.realpath` does.
    """
    for part in (*reversed(path.parents), path):
        if links < MAX_LINKS and part.is_symlink():  # a loop is an error of what follows
            folder = part.parent.stat()
            shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
            if shared and part.lstat().st_uid not in (os.geteuid(), folder.st_uid):
                raise PermissionError(errno.EACCES, f"{part} is another user's link", str(path))
            _refuse_planted_links(part.parent / part.readlink(), links + 1)


def _beside(target: Path, mode: int) -> Path:
    """Make a temporary file in the folder of `target`, with these permissions under the umask."""
    temporary = target.parent / f".{target.name[:SHORT_NAME]}.{secrets.token_hex(4)}.tmp"
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    return temporary


def temporary_files(path: Path) -> list[Path]:
    """Return the temporary files beside `path` that are written for it, or that killed processes have left."""
    return [*path.parent.glob(f".{glob.escape(path.name[:SHORT_NAME])}.*.tmp")]


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
