"""The collection of rows: the results are the same with and without it, whatever happens to it or to the runs."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest
from places import ROOT
from run_files import case, run_file

from joulemark.suite.records import write
from joulemark.suite.results import store
from joulemark.suite.results.history import collected, parquet
from joulemark.suite.results.history.directory import open_directory
from joulemark.suite.results.history.rows import COLUMNS

MANY = 6
"""Rows files that are collected in these tests."""
RUNS = MANY + 2
QUERIED = ("run_id", "case_id", "started_at", "throughput")
FIRST, SECOND = "20250101T000000Z-0000", "20250101T000000Z-0001"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A directory of enough runs to be collected."""
    directory = tmp_path_factory.mktemp("pristine")
    text = run_file([case("cnn")], id="RUN").model_dump_json()
    for number in range(RUNS):
        path = directory / f"20250101T000000Z-{number:04d}.json"
        path.write_text(text.replace("RUN", path.stem))
    open_directory(directory, ["run_id"], MANY)
    assert rows_file(directory).exists()
    assert (directory / collected.NAME).exists()
    return directory


@pytest.fixture
def directory(pristine, tmp_path):
    """A copy of the pristine directory with all modification times."""
    subprocess.run(["cp", "-a", f"{pristine}/.", tmp_path], check=True)
    return tmp_path


def rows_file(directory):
    """Return the path of the first run's rows."""
    return parquet.rows_path(directory / f"{FIRST}.json")


def query(directory, columns=QUERIED):
    """Return all rows, sorted."""
    return sorted(open_directory(directory, columns, MANY).select(", ".join([*columns, "file"])), key=str)


def query_without_collection(directory):
    (directory / collected.NAME).unlink()
    return query(directory)


def copies(directory):
    """Return the names of the rows files that the collection has copies of."""
    with duckdb.connect() as connection:
        names = connection.execute(f"SELECT kept_as FROM read_parquet('{directory / collected.NAME}')").fetchall()
        return {name for (name,) in names}


def overwrite(path, content):
    """Replace the content of a file, but keep its modification time."""
    mtime_ns = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def test_rows_files_are_not_read(directory):
    assert len(copies(directory)) == RUNS
    contents = {path: path.read_bytes() for path in directory.glob("*.rows.parquet")}
    for path in contents:
        overwrite(path, b"unreadable")
    rows = query(directory)
    assert len({file for *_, file in rows}) == RUNS
    assert {path.read_bytes() for path in contents} == {b"unreadable"}
    for path, content in contents.items():
        overwrite(path, content)
    assert rows == query_without_collection(directory)


def test_the_collection_is_neither_a_run_nor_a_rows_file(directory):
    assert len(store.kept_runs(directory)) == RUNS
    assert collected.NAME not in {
        path.name for path in [*directory.glob("*.rows.parquet"), *directory.glob("*.parquet")]
    }
    with duckdb.connect() as connection:
        count = connection.execute(f"SELECT count(*) FROM read_parquet('{directory}/*.rows.parquet')").fetchall()
    assert count == [(RUNS,)]
    assert not list(directory.glob("*.tmp"))


def test_copies_of_changed_and_deleted_runs_are_not_used(directory):
    changed, deleted = directory / f"{FIRST}.json", directory / f"{SECOND}.json"
    write(run_file([case("other")], id=FIRST), changed)
    os.utime(changed, ns=(1, 1))
    deleted.unlink()
    rows = query(directory)
    assert [row[1] for row in rows if row[0] == FIRST] == [case("other").id]
    assert SECOND not in {row[0] for row in rows}
    assert len(rows) == RUNS - 1
    assert rows == query_without_collection(directory)


def test_collected_rows_need_no_rows_file(directory):
    rows_file(directory).unlink()
    rows = query(directory)
    assert not rows_file(directory).exists()
    assert rows == query_without_collection(directory)
    assert rows_file(directory).exists()


def test_a_resumed_run_is_read_from_its_journal(directory):
    (directory / f"{FIRST}.journal").write_text("")
    rows = open_directory(directory, ["run_id"], MANY)
    assert (FIRST,) not in rows.select("run_id")
    assert set(rows.unreadable) == {FIRST}


def test_new_runs_are_added_once_there_are_many(directory):
    """A copy that is outdated by then is replaced."""
    text = (directory / f"{FIRST}.json").read_text()
    for number in range(MANY - 1):
        path = directory / f"20250102T000000Z-{number:04d}.json"
        path.write_text(text.replace(FIRST, path.stem))
    inode = (directory / collected.NAME).stat().st_ino
    query(directory)
    assert (directory / collected.NAME).stat().st_ino == inode
    write(run_file([case("other")], id=FIRST), directory / f"{FIRST}.json")
    query(directory)
    assert len(copies(directory)) == RUNS + MANY - 1
    rows = query(directory)
    assert rows == query_without_collection(directory)
    assert [row[1] for row in rows if row[0] == FIRST] == [case("other").id]


def test_a_damaged_collection_is_made_anew(directory):
    path = directory / collected.NAME
    content = path.read_bytes()
    for damaged in (b"", b"PAR1", content[: len(content) // 2], b"no Parquet at all" * 100):
        path.write_bytes(damaged)
        assert len(query(directory)) == RUNS
        assert len(copies(directory)) == RUNS
    assert query(directory) == query_without_collection(directory)


def test_a_collection_of_another_version_is_made_anew(directory):
    path = directory / collected.NAME
    with duckdb.connect() as connection:
        for columns in ("SELECT 'old' AS run_id", "SELECT 'x' AS run_id, 'x' AS kept_as, 'x' AS at_ns"):
            path.unlink()
            connection.execute(f"COPY ({columns}) TO '{path}' (FORMAT parquet)")
            assert {run_id for run_id, _ in query(directory, ["run_id"])} == {p.stem for p in directory.glob("*.json")}
            assert len(copies(directory)) == RUNS


def test_rows_of_an_older_version_do_not_prevent_it(directory):
    """One rows file lacks a column that is not queried, so that it cannot be collected."""
    old = rows_file(directory)
    mtime_ns = old.stat().st_mtime_ns
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * EXCLUDE pue FROM read_parquet('{old}')) TO '{old}.x' (FORMAT parquet)")
    os.replace(f"{old}.x", old)
    os.utime(old, ns=(mtime_ns, mtime_ns))
    (directory / collected.NAME).unlink()
    assert len(query(directory)) == RUNS
    assert copies(directory) == {parquet.rows_path(path).name for path in directory.glob("*.json")} - {old.name}
    assert len(query(directory, list(COLUMNS))) == RUNS
    assert query(directory) == query_without_collection(directory)


def test_concurrent_writers_all_see_every_run(directory):
    """Each changes runs, so that the collection is written again and again, and deletes it now and then."""

    def query_repeatedly(number):
        results = []
        for turn in range(5):
            (directory / f"20250101T000000Z-{number:04d}.json").touch()
            if turn % 3 == 2:
                (directory / collected.NAME).unlink(missing_ok=True)
            results.append(sorted(open_directory(directory, ["run_id"], 1).select("run_id")))
        return results

    expected = sorted((path.stem,) for path in directory.glob("*.json"))
    with ThreadPoolExecutor(2) as pool:
        for results in pool.map(query_repeatedly, range(2)):
            assert results == [expected] * 5
    assert not list(directory.glob(".*.tmp"))
    assert query(directory) == query_without_collection(directory)


def test_the_collection_is_as_readable_as_the_runs(directory):
    mode = stat.S_IMODE((directory / f"{FIRST}.json").stat().st_mode)
    assert stat.S_IMODE((directory / collected.NAME).stat().st_mode) == mode & 0o666
    for path in directory.glob("*.json"):
        path.chmod(0o600)
    query_without_collection(directory)
    assert stat.S_IMODE((directory / collected.NAME).stat().st_mode) == 0o600


QUERY_AS_NOBODY = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import duckdb, scipy.special
from joulemark.suite import records
from joulemark.suite.results.history import collected, directory
os.chdir(sys.argv[2])
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)  # nobody; after the imports, which may be readable by root only
print(len(directory.open_directory(Path(), ["run_id"], 6).select("run_id")), os.path.exists(collected.NAME))
"""


@pytest.mark.parametrize("exists", [True, False])
def test_a_read_only_directory_is_queried_without_writing(directory, exists):
    if not exists:
        (directory / collected.NAME).unlink()
    (directory / f"{FIRST}.json").touch()  # its rows are outdated and cannot be written
    for path in directory.iterdir():
        path.chmod(0o444)
    directory.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", QUERY_AS_NOBODY, str(ROOT), str(directory)],
            check=False,
            capture_output=True,
            text=True,
            timeout=280,
        )
    finally:
        directory.chmod(0o755)
    assert (done.stdout, done.stderr, done.returncode) == (f"{RUNS} {exists}\n", "", 0)
