"""One run measures at a time, a dead owner holds no lock, and no file of anybody's is touched."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.run import lock

OTHER_USER = 54321

HOLDER = """
import os, sys, time
from joulemark.suite.run import lock
if sys.argv[2]:
    os.setuid(int(sys.argv[2]))  # only now: this user may not read the interpreter's folder
with lock.hold(bytes.fromhex(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""
OPENED_FILES = """
import sys
from joulemark.suite.run import lock
opened = []
sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event == "open" else None)
with lock.hold(bytes.fromhex(sys.argv[1])):
    print(opened)
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A machine's lock of this test's own: somebody may be measuring."""
    monkeypatch.delenv(lock.VARIABLE, raising=False)
    return b"\0joulemark-test/" + secrets.token_hex(8).encode()


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file that JOULEMARK_LOCK names; there is none yet."""
    monkeypatch.setenv(lock.VARIABLE, str(tmp_path / "lock"))
    return tmp_path / "lock"


def command(address: bytes, user: int | str = "") -> list[str]:
    return [sys.executable, "-c", HOLDER, address.hex(), str(user)]


def start_holder(address: bytes, user: int | str = "") -> subprocess.Popen[str]:
    """Start a process that holds the lock, and wait until it does."""
    process = subprocess.Popen(command(address, user), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(how)
    process.communicate()


@pytest.fixture(params=["address", "file"])
def kind(request: pytest.FixtureRequest) -> bytes:
    """Both kinds of lock: the address of the first, and nothing for the second, which the environment names."""
    value: bytes | Path = request.getfixturevalue(request.param)
    return value if isinstance(value, bytes) else b""


@pytest.fixture
def open_folder(tmp_path: Path) -> None:
    """Let other users reach `tmp_path`, and write there."""
    for path in (tmp_path, *tmp_path.parents):
        if path.is_relative_to(tempfile.gettempdir()) and path != Path(tempfile.gettempdir()):
            path.chmod(0o755)
    tmp_path.chmod(0o777)


def test_a_second_run_is_refused_and_told_the_first(kind):
    holder = start_holder(kind)
    try:
        with (
            pytest.raises(UsageError, match=rf"process {holder.pid}\b.* is measuring on this machine"),
            lock.hold(kind),
        ):
            pass
    finally:
        end(holder)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_dead_owner_holds_no_lock(kind, how):
    end(start_holder(kind), how)
    with lock.hold(kind):
        pass


def test_the_lock_is_free_after_use(kind):
    for _ in range(2):
        with lock.hold(kind):
            pass


def test_the_lock_is_not_inherited_by_children(kind):
    with lock.hold(kind):
        child = subprocess.Popen(["sleep", "600"])
    try:
        with lock.hold(kind):
            pass
    finally:
        end(child)


@as_root
def test_another_users_run_is_waited_for_and_its_owner_told(kind, open_folder):
    holder = start_holder(kind, OTHER_USER)
    try:
        with pytest.raises(UsageError, match=rf"process {holder.pid}\b") as refusal, lock.hold(kind):
            pass
        assert not kind or f"user {OTHER_USER}" in str(refusal.value)
    finally:
        end(holder)


@as_root
def test_a_lock_file_that_root_made_serves_other_users(file, open_folder):
    with lock.hold():
        pass
    end(start_holder(b"", OTHER_USER))


def test_the_machines_lock_is_no_file_that_another_could_stand_in_for(address):
    done = subprocess.run([sys.executable, "-c", OPENED_FILES, address.hex()], stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"[]\n"


@pytest.mark.slow
def test_a_process_that_holds_the_address_and_does_not_answer_is_refused_for(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as squatter:
        squatter.bind(address)
        with pytest.raises(UsageError, match="another process is measuring"), lock.hold(address):
            pass


def test_the_machines_lock_depends_on_no_folder(address, monkeypatch):
    """Users and jobs of a machine have different temporary directories."""
    holder = start_holder(address)
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    monkeypatch.setenv("HOME", "/nonexistent")
    try:
        with pytest.raises(UsageError, match="is measuring on this machine"), lock.hold(address):
            pass
    finally:
        end(holder)


def test_the_lock_file_is_open_to_all_users_and_stays_empty(file):
    """Whatever the umask of the first one."""
    before = os.umask(0o077)
    try:
        with lock.hold():
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666
    assert file.stat().st_size == 0


def folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def other_file(path: Path) -> None:
    path.write_text("a year of notes")


def link(path: Path) -> None:
    path.with_name("target").touch()
    path.symlink_to("target")


def dangling_link(path: Path) -> None:
    path.symlink_to("target")


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (folder, "is a directory"),
        (fifo, "no regular file"),
        (unix_socket, "cannot be opened"),
        (other_file, "the file holds something"),
        (link, "symbolic link"),
        (dangling_link, "symbolic link"),
    ],
)
def test_what_is_no_lock_is_refused_and_left_alone(file, make, problem):
    make(file)
    before = {path.name: path.lstat() for path in file.parent.iterdir()}
    with pytest.raises(UsageError, match=problem) as refusal, lock.hold():
        pass
    assert f"JOULEMARK_LOCK={file}" in str(refusal.value)
    assert "Remove" not in str(refusal.value)
    after = {path.name: path.lstat() for path in file.parent.iterdir()}
    assert {name: status.st_mtime_ns for name, status in after.items()} == {
        name: status.st_mtime_ns for name, status in before.items()
    }
    assert make is not other_file or file.read_text() == "a year of notes"


@pytest.mark.parametrize(
    ("path", "problem"), [("/dev/null", "no regular file"), ("/nonexistent/lock", "its directory does not exist")]
)
def test_a_device_and_a_missing_folder_are_refused(monkeypatch, path, problem):
    monkeypatch.setenv(lock.VARIABLE, path)
    with pytest.raises(UsageError, match=rf"JOULEMARK_LOCK={path}: .*{problem}.*unset JOULEMARK_LOCK"), lock.hold():
        pass


@as_root
def test_a_folder_that_may_not_be_written_is_refused(file, open_folder):
    file.parent.chmod(0o755)
    done = subprocess.run(command(b"", OTHER_USER), capture_output=True, text=True, check=False)
    assert f"JOULEMARK_LOCK={file}: it cannot be opened (Permission denied)" in done.stderr
