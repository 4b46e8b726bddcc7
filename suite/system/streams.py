"""Standard streams that may be closed, as they are for daemons and with `>&-` in a shell, and their descriptors.

The next file that a process opens gets the lowest free descriptor. With standard output closed that is 1, and whatever
anybody prints then lands in that file.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_LINKS = 40
"""Symbolic links that Linux follows in one path (path_resolution(7))."""


def open_closed_streams() -> None:
    """Open /dev/null in the place of each standard stream that is closed, for this process and its children."""
    for descriptor in _open_null():
        os.set_inheritable(descriptor, True)
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False))


@contextlib.contextmanager
def closed_streams_reserved() -> Iterator[None]:
    """Keep the descriptors of closed standard streams from files and pipes that the block opens."""
    reserved = _open_null()
    try:
        yield
    finally:
        for descriptor in reserved:
            os.close(descriptor)


def _open_null() -> list[int]:
    """Open /dev/null at each of the descriptors 0 to 2 that is closed, and return them."""
    opened = []
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # each gets the lowest that is free
        opened.append(descriptor)
    os.close(descriptor)
    return opened


def own_descriptor(path: Path) -> int | None:
    """Return the open descriptor of this process that `path` names, such as /dev/stdout or /dev/fd/63; else None.

    To open such a path fails for a socket, and starts at the begin of a file that others have written to.
    """
    own = f"/proc/{os.getpid()}/fd"
    for _ in range(MAX_LINKS):
        if os.path.realpath(path.parent) == own and path.name.isdigit():
            return int(path.name) if os.path.lexists(path) else None
        try:
            path = path.parent / os.readlink(path)
        except OSError:
            return None
    return None
