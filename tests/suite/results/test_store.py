"""Finding runs by what a user types."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from journal_files import RUN_ID, write_journal
from run_files import run_file

from joulemark.suite.errors import UsageError
from joulemark.suite.records import write
from joulemark.suite.results import store
from joulemark.suite.results.history.directory import open_directory


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / f"{RUN_ID}.json"
    path.write_text("{}")
    return path


def test_a_run_is_found_by_path_id_beginning_and_latest(tmp_path):
    path = write_journal(tmp_path)
    for name in (str(path), RUN_ID, "2026", "latest"):
        assert store.load(name, tmp_path).run.id == RUN_ID
    newer = tmp_path / "20261102T120000Z-ffff.json"
    newer.write_text(run_file(id=newer.stem).model_dump_json())
    assert store.load("latest", tmp_path).run.id == newer.stem
    with pytest.raises(UsageError, match=f"{RUN_ID} .*{newer.stem}"):
        store.find("2026", tmp_path)
    with pytest.raises(store.NoRunError, match="unknown run"):
        store.find("1999", tmp_path)


def test_a_resumed_run_is_read_from_its_journal(tmp_path, run):
    journal = write_journal(tmp_path)
    assert store.find(RUN_ID, tmp_path) == journal


def test_latest_is_a_run_and_no_other_file(tmp_path, run):
    for name in ("bench.json", "zebra.json"):
        (tmp_path / name).write_text("{}")
    assert store.find("latest", tmp_path) == run
    assert store.find("bench", tmp_path) == tmp_path / "bench.json"


@pytest.mark.parametrize(
    ("typed", "cause"),
    [
        ("~nobody-of-this-name/x", "cannot read '~nobody-of-this-name/x'"),
        ("x" * 5000, "file name too long"),
        ("./", "directory"),
        ("20261101", "no runs are kept"),
    ],
)
def test_an_error_is_one_short_line(tmp_path, typed, cause):
    with pytest.raises(UsageError) as caught:
        store.find(typed, tmp_path)
    assert cause in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_a_long_name_is_abbreviated_in_the_error(tmp_path, run):
    with pytest.raises(UsageError) as caught:
        store.find("y" * 200, tmp_path)
    assert len(str(caught.value)) < 400


def test_the_error_says_what_is_not_a_regular_file(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dir.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "dead.json").symlink_to("nowhere.json")
    (tmp_path / "loop.json").symlink_to("loop.json")
    for typed, kind in (
        ("dir.json", "directory"),
        ("pipe.json", "pipe"),
        ("dead.json", "link to nowhere.json"),
        ("loop.json", "link to loop.json"),
        ("/dev/null", "device"),
    ):
        with pytest.raises(UsageError) as caught:
            store.find(typed, tmp_path)
        assert repr(typed) in str(caught.value)
        assert kind in str(caught.value)


def test_a_directory_may_be_named_like_the_beginning_of_an_id(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2026").mkdir()
    assert store.find("2026", tmp_path) == run


def test_pipes_links_and_directories_do_not_block_a_listing(tmp_path):
    """Opening a pipe waits for its writer."""
    write(run_file(), tmp_path / f"{RUN_ID}.json")
    os.mkfifo(tmp_path / "pipe.json")
    os.mkfifo(tmp_path / "pipe.journal")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "dir.json").mkdir()
    for _ in range(2):
        rows = open_directory(tmp_path, ["run_id"])
        assert (rows.select("DISTINCT run_id"), rows.unreadable) == ([(RUN_ID,)], {})
