"""The lock that lets one run measure at a time on a machine.

It is an abstract Unix socket (unix(7)). There is no file, so that nobody's file or link can stand in for it; the kernel
releases it when its owner ends, however it ends, and tells others who that is. Any user can own it, and so keep others
from measuring: these are told whom to ask. It belongs to a network namespace: a container with a network of its own has
a lock of its own. JOULEMARK_LOCK names a file to lock instead (flock(2)), which containers can share, and with which
runs may go on side by side.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from joulemark.suite.errors import UsageError
from joulemark.suite.system.ownership import user_name

ADDRESS = b"\0joulemark/run"
VARIABLE = "JOULEMARK_LOCK"

MAX_PENDING = 4096
"""Connections of refused runs that wait in the socket's queue, as many as Linux allows (listen(2))."""

_TRIES, _RETRY_S = 20, 0.05
"""How often, and after which time, to try again where the owner has bound the address and does not listen yet."""


_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK
_WAIT = "Wait until it has finished."


@contextlib.contextmanager
def hold(address: bytes = ADDRESS) -> Iterator[None]:
    """Hold the machine's lock, or the one that JOULEMARK_LOCK names.

    Raises:
        UsageError: where another process holds it, or it cannot be had.
    """
    path = os.environ.get(VARIABLE)
    with _locked_file(Path(path)) if path else _bound_socket(address):
        yield


@contextlib.contextmanager
def _bound_socket(address: bytes) -> Iterator[None]:
    try:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:
        _cannot_lock(error)
    with server:
        for _ in range(_TRIES):
            try:
                server.bind(address)
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    _cannot_lock(error)
            try:
                _refuse_for_owner(address)
            except ConnectionRefusedError:  # it has ended, or does not listen yet
                time.sleep(_RETRY_S)
        else:
            _refuse("another process", _others_remedy(address))
        server.listen(MAX_PENDING)
        yield


def _cannot_lock(error: OSError) -> NoReturn:
    raise UsageError(f"cannot lock this machine: {error.strerror}. Set {VARIABLE} to a file that is to be the lock.")


def _refuse_for_owner(address: bytes) -> NoReturn:
    """Raise UsageError that says which process listens at `address`; ConnectionRefusedError if none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(address)
            credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except ConnectionRefusedError:
            raise
        except OSError:  # its queue is full, or we may not connect
            _refuse("another process", _others_remedy(address))
    pid, uid, _ = struct.unpack("3i", credentials)
    # A container on the host's network has other processes.
    owner = f"process {pid} of {user_name(uid)}" if pid else f"a process of {user_name(uid)} in another container"
    _refuse(owner, _WAIT if uid == os.geteuid() else _others_remedy(address))


def _others_remedy(address: bytes) -> str:
    """Return what to do about an owner that may be no run: anybody can bind the address, and need not answer."""
    name = address.decode().replace("\0", "@")
    return (
        f"{_WAIT} If it is no run (`ss -xap | grep {name}` as root shows it), have it ended, or set {VARIABLE} to a "
        "file of your own."
    )


@contextlib.contextmanager
def _locked_file(path: Path) -> Iterator[None]:
    """Lock the file at `path`. Nothing is ever written to it."""
    descriptor = _open(path)
    try:
        file = os.fstat(descriptor)
        if not stat.S_ISREG(file.st_mode):
            _reject(path, "it is no regular file")
        if file.st_size:
            _reject(path, "the file holds something, and so is no lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _refuse(_locker(file.st_ino), _WAIT)
        except OSError as error:
            _reject(path, f"it cannot be locked ({error.strerror})")
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """Open the file at `path`, or make it. No link is followed, and nothing is emptied."""
    try:
        # Without O_CREAT first: the kernel refuses it on another user's file in a sticky directory
        # (sysctl fs.protected_regular).
        try:
            return _open_existing(path)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):  # another run has just made it
                return os.open(path, _FLAGS | os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
            return _open_existing(path)
    except OSError as error:
        problems = {
            errno.ELOOP: "it is a symbolic link, which is not followed",
            errno.EISDIR: "it is a directory",
            errno.ENOENT: "its directory does not exist",
        }
        _reject(path, problems.get(error.errno or 0, f"it cannot be opened ({error.strerror})"))


def _open_existing(path: Path) -> int:
    """Open the file for writing, which NFS locks need (flock(2)); where it is another user's, for reading."""
    try:
        return os.open(path, _FLAGS | os.O_RDWR)
    except PermissionError:
        return os.open(path, _FLAGS | os.O_RDONLY)


def _locker(inode: int) -> str:
    """Return which process holds the lock of a file, as far as this process may know (proc(5), /proc/locks)."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            # A line with an arrow is of a process that waits for the lock.
            _, kind, _, _, pid, file, *_ = line.split()
            if kind == "FLOCK" and file.endswith(f":{inode}") and int(pid) > 0:
                return f"process {pid}"
    return "another process"


def _refuse(owner: str, remedy: str) -> NoReturn:
    raise UsageError(f"{owner} is measuring on this machine: concurrent runs skew each other. {remedy}")


def _reject(path: Path, problem: str) -> NoReturn:
    raise UsageError(
        f"cannot use {VARIABLE}={path}: {problem}. Name a file that is empty or can be made, or unset {VARIABLE}: the "
        "machine's own lock needs no file."
    )
