"""Replacing a file: the old content stays until the new one is complete."""

from __future__ import annotations

import stat

import pytest

from joulemark.suite.records.atomic import atomic_replacement


def test_the_old_content_stays_until_the_block_ends(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with atomic_replacement(path, 0o640) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_content_and_no_temporary_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail_halfway() -> None:
        with atomic_replacement(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_replacement(tmp_path / "missing" / "file"):
        pytest.fail("there is no temporary file to write")
