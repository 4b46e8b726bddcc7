"""Scratch directories: gone after use, those of killed processes gone later, everybody else's left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.system.scratch import MARK, scratch_directory

OWNER = """
import time
from joulemark.suite.system.scratch import scratch_directory
with scratch_directory() as path:
    (path / "cache").mkdir()
    (path / "cache" / "kernel.so").touch()
    print(path, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of this test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def owner() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process with a scratch directory."""
    process = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process, Path(process.stdout.readline().strip())
    process.kill()
    process.communicate()


def test_a_directory_is_private_and_gone_after_use(temporary):
    with scratch_directory() as path:
        assert path.parent == temporary
        assert path.stat().st_mode & 0o777 == 0o700
        (path / "file").touch()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed(owner):
    process, path = owner
    process.kill()
    process.wait()
    assert (path / "cache" / "kernel.so").exists()
    with scratch_directory():
        assert not path.exists()


def test_the_directory_of_a_live_process_stays(owner):
    _, path = owner
    with scratch_directory():
        pass
    assert (path / "cache" / "kernel.so").exists()


def test_directories_that_are_not_marked_stay(temporary):
    """Whatever they are called: one's own notes, or a directory that is just being made."""
    (temporary / "joulemark-notes").mkdir()
    (temporary / "joulemark-notes" / "notes").touch()
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / MARK).touch()
    (temporary / "joulemark-link").symlink_to(elsewhere)
    (temporary / "joulemark-file").touch()
    with scratch_directory():
        pass
    names = {path.name for path in temporary.iterdir()}
    assert names == {"joulemark-notes", "joulemark-link", "joulemark-file", "elsewhere"}
    assert (elsewhere / MARK).exists()
    assert (temporary / "joulemark-notes" / "notes").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a directory away")
def test_directories_of_other_users_stay(temporary):
    path = temporary / "joulemark-other"
    path.mkdir()
    (path / MARK).touch()
    os.chown(path, 54321, 54321)
    with scratch_directory():
        pass
    assert path.exists()


def test_no_place_for_temporary_files_is_one_line(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    with (
        pytest.raises(UsageError, match=r"cannot make a temporary directory: No such file.* Set TMPDIR"),
        scratch_directory(),
    ):
        pass
