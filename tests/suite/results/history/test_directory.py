"""The rows of a directory: made once, made anew if outdated or damaged, and readable by DuckDB in place."""

from __future__ import annotations

import os

import duckdb
import pytest
from report_files import full, on_gpu
from run_files import case, run_file

from joulemark.suite.records import write
from joulemark.suite.records.journal import SUFFIX, Journal
from joulemark.suite.results.history import parquet
from joulemark.suite.results.history.directory import open_directory
from joulemark.suite.results.history.remote import open_rows

ID = "20261101T120000Z-a1b2"
ALL = [(25,)]
"""The number of rows of both runs."""


@pytest.fixture
def directory(tmp_path):
    """Two runs; one of them has a failed case."""
    write(full(), tmp_path / f"{ID}.json")
    write(on_gpu(), tmp_path / "20261102T120000Z-b2c3.json")
    return tmp_path


def test_rows_are_made_once_and_read_afterwards(directory):
    assert open_directory(directory, ["case_id"]).select("count(*)") == ALL
    inodes = {path: path.stat().st_ino for path in directory.glob("*.rows.parquet")}
    assert len(inodes) == 2
    assert open_directory(directory, ["case_id"]).select("count(*)") == ALL
    assert {path: path.stat().st_ino for path in inodes} == inodes


def test_duckdb_reads_rows_in_place(directory):
    open_directory(directory, ["case_id"])
    query = f"SELECT hostname, count(*) FROM read_parquet('{directory}/*.rows.parquet') GROUP BY ALL ORDER BY ALL"
    with duckdb.connect() as connection:
        assert connection.execute(query).fetchall() == [("bench-1", 7), ("gpu-1", 18)]


def test_a_changed_run_file_has_new_rows(directory):
    path = directory / f"{ID}.json"
    open_directory(directory, ["case_id"])
    write(run_file([case("other")]), path)
    os.utime(path, ns=(1, 1))  # older than its rows, as if copied from elsewhere
    rows = open_directory(directory, ["run_id", "case_id"])
    assert rows.select("case_id", "WHERE run_id = ?", [ID]) == [(case("other").id,)]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no Parquet at all" * 100], ids=["empty", "truncated", "foreign"])
def test_damaged_rows_are_made_anew(directory, content):
    open_directory(directory, ["case_id"])
    source = directory / f"{ID}.json"
    path, mtime_ns = parquet.rows_path(source), source.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    assert open_directory(directory, ["case_id"]).select("count(*)") == ALL
    assert path.read_bytes() != content


def test_rows_with_other_columns_are_made_anew(directory):
    """An older version may have written them."""
    source = directory / f"{ID}.json"
    path, mtime_ns = parquet.rows_path(source), source.stat().st_mtime_ns
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 'old' AS run_id) TO '{path}' (FORMAT parquet)")
    os.utime(path, ns=(mtime_ns, mtime_ns))
    assert open_directory(directory, ["run_id", "case_id"]).select("count(case_id)") == ALL


def test_a_run_in_progress_is_read_from_its_journal_and_gets_no_rows_file(directory):
    journal = Journal(directory / f"20261103T120000Z-c3d4{SUFFIX}", run_file(id="20261103T120000Z-c3d4"))
    journal.close()
    rows = open_directory(directory, ["run_id"])
    assert ("20261103T120000Z-c3d4",) in rows.select("DISTINCT run_id")
    assert len(list(directory.glob("*.rows.parquet"))) == 2


def test_an_unreadable_run_is_listed_and_the_others_are_read(directory):
    (directory / "20261104T120000Z-d4e5.json").write_text("{")
    rows = open_directory(directory, ["run_id"])
    assert rows.select("count(DISTINCT run_id)") == [(2,)]
    path, reason = rows.unreadable["20261104T120000Z-d4e5"]
    assert path.endswith("d4e5.json")
    assert path in reason


def test_a_directory_whose_name_looks_like_a_pattern(tmp_path):
    directory = tmp_path / "runs [old]*?'s"
    write(full(), directory / f"{ID}.json")
    for _ in range(2):
        assert open_directory(directory, ["run_id"]).select("count(*)") == [(7,)]


def test_a_file_url_is_a_directory(directory):
    assert open_rows(f"file://{directory}", ["case_id"]).select("count(*)") == ALL
    assert len(list(directory.glob("*.rows.parquet"))) == 2
