"""Directories for one user alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from joulemark.suite.system.directories import make_private


def test_missing_directories_are_made_for_this_user_alone(tmp_path: Path) -> None:
    existing = tmp_path / "existing"
    existing.mkdir(mode=0o755)
    for _ in range(2):
        make_private(existing / "a" / "b")
    assert [(existing / each).stat().st_mode & 0o777 for each in (".", "a", "a/b")] == [0o755, 0o700, 0o700]


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (Path("/proc/nothing/a/b"), tmp_path / "file", tmp_path / "file" / "a"):
        with pytest.raises((FileNotFoundError, FileExistsError, NotADirectoryError)):
            make_private(path)
