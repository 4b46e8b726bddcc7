"""The file that JOULEMARK_LOCK names: what is no lock is refused, and nothing is ever written."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from lock_holder import OTHER_USER, as_root, command, end, start_holder

from joulemark.suite.errors import UsageError
from joulemark.suite.run import lock


@as_root
def test_a_lock_file_that_root_made_serves_other_users(file, open_folder):
    with lock.hold():
        pass
    end(start_holder(b"", OTHER_USER))


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o000, 0o666)])
def test_the_lock_file_has_the_permissions_of_the_umask_and_stays_empty(file, mask, mode):
    before = os.umask(mask)
    try:
        for _ in range(2):
            with lock.hold():
                pass
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == mode
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
