"""Finding runs by what somebody typed."""

from __future__ import annotations

import os

import pytest
from run_files import run_file

from joulemark.suite.errors import UsageError
from joulemark.suite.records import write
from joulemark.suite.results import store
from joulemark.suite.results.history.parquet import open_directory


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("~nobody-of-this-name/x", "cannot read '~nobody-of-this-name/x'"),
        ("x" * 5000, "file name too long"),
        ("./", "is a folder"),
        ("20261101", "no runs are kept"),
    ],
)
def test_what_names_no_run_is_told_in_one_short_line(tmp_path, typed, said):
    with pytest.raises(UsageError) as error:
        store.find(typed, tmp_path)
    assert said in str(error.value)
    assert len(str(error.value)) < 400
    assert "\n" not in str(error.value)


def test_a_run_that_is_not_kept_is_not_echoed_at_length(tmp_path):
    (tmp_path / "20261101T120000Z-a1b2.json").write_text("{}")
    with pytest.raises(UsageError) as error:
        store.find("y" * 200, tmp_path)
    assert len(str(error.value)) < 400


def test_the_latest_is_a_run_and_no_other_file_beside_it(tmp_path):
    run = tmp_path / "20261101T120000Z-a1b2.json"
    for name in (run.name, "bench.json", "zebra.json"):
        (tmp_path / name).write_text("{}")
    assert store.find("latest", tmp_path) == run
    assert store.find("bench", tmp_path) == tmp_path / "bench.json"


def test_what_is_no_file_is_called_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "20261101T120000Z-a1b2.json").write_text("{}")
    (tmp_path / "dir.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "dead.json").symlink_to("nowhere.json")
    (tmp_path / "loop.json").symlink_to("loop.json")
    for typed, said in (
        ("dir.json", "is a folder"),
        ("pipe.json", "is a pipe or a device"),
        ("dead.json", "is a link to nowhere.json, where no file is"),
        ("loop.json", "is a link to loop.json, where no file is"),
        ("/dev/null", "is a pipe or a device"),
    ):
        with pytest.raises(UsageError) as error:
            store.find(typed, tmp_path)
        assert f"{typed!r} {said}" in str(error.value)


def test_a_folder_may_have_the_name_of_the_beginning_of_an_id(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2026").mkdir()
    run = tmp_path / "20261101T120000Z-a1b2.json"
    run.write_text("{}")
    assert store.find("2026", tmp_path) == run


def test_what_is_no_file_holds_up_no_listing(tmp_path):
    """Opening a pipe waits for its writer."""
    write(run_file(), tmp_path / "20261101T120000Z-a1b2.json")
    os.mkfifo(tmp_path / "pipe.json")
    os.mkfifo(tmp_path / "pipe.journal")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "dir.json").mkdir()
    for _ in range(2):
        kept = open_directory(tmp_path, ["run_id"])
        assert (kept.select("DISTINCT run_id"), kept.unreadable) == ([("20261101T120000Z-a1b2",)], {})
