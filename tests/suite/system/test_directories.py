"""Directories for one user alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.system.directories import find_runs, make_private


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


def test_a_file_is_no_directory_of_runs_and_nor_is_what_is_named_like_one(tmp_path: Path) -> None:
    (tmp_path / "kept.json").mkdir()
    assert find_runs(tmp_path / "new") == tmp_path / "new"
    assert find_runs(tmp_path / "kept.json") == tmp_path / "kept.json"
    (tmp_path / "file").touch()
    for name, text in (("file", "is a file"), ("page.html", "names a file, as `-o ")):
        with pytest.raises(UsageError, match=text):
            find_runs(tmp_path / name)
