"""One file with the rows of many runs: the same answers with it as without, whatever has become of it or the runs."""

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
from joulemark.suite.results.history.rows import COLUMNS

MANY = 6
"""Files that are worth collecting, here."""
RUNS = MANY + 2
ASKED = ("run_id", "case_id", "started_at", "throughput")
FIRST, SECOND = "20250101T000000Z-0000", "20250101T000000Z-0001"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A directory of just so many runs that their rows are collected; the odd ones have a value of their own."""
    directory = tmp_path_factory.mktemp("pristine")
    text = run_file([case("cnn")], id="RUN").model_dump_json()
    first = directory / f"{FIRST}.json"
    for number in range(RUNS):
        path = directory / f"20250101T000000Z-{number:04d}.json"
        path.write_text(text.replace("RUN", path.stem))
    parquet.open_directory(directory, ["run_id"], MANY)
    assert parquet.rows_path(first).exists()
    assert (directory / collected.NAME).exists()
    return directory


@pytest.fixture
def directory(pristine, tmp_path):
    """A copy of it, with all times."""
    subprocess.run(["cp", "-a", f"{pristine}/.", tmp_path], check=True)
    return tmp_path


def answer(directory, columns=ASKED):
    """All rows, in one order."""
    return sorted(parquet.open_directory(directory, columns, MANY).select(", ".join([*columns, "file"])), key=str)


def without(directory):
    """The answer of the rows files alone."""
    (directory / collected.NAME).unlink()
    return answer(directory)


def copies(directory):
    """Names of the rows files that copies are of."""
    with duckdb.connect() as connection:
        query = f"SELECT kept_as FROM read_parquet('{directory / collected.NAME}')"
        return {name for (name,) in connection.execute(query).fetchall()}


def overwritten(path, content):
    """Another content with the same time."""
    at_ns = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(at_ns, at_ns))


def test_the_answer_is_the_same_with_it(directory):
    assert len(copies(directory)) == RUNS
    # Rows files that nobody could read show that none is read.
    kept = {path: path.read_bytes() for path in directory.glob("*.rows.parquet")}
    for path in kept:
        overwritten(path, b"nothing")
    found = answer(directory)
    assert len({file for *_, file in found}) == RUNS
    assert {path.read_bytes() for path in kept} == {b"nothing"}
    for path, content in kept.items():
        overwritten(path, content)
    assert found == without(directory)


def test_it_is_no_run_and_no_rows_file(directory):
    assert len(store.kept_runs(directory)) == RUNS
    assert collected.NAME not in {
        path.name for path in [*directory.glob("*.rows.parquet"), *directory.glob("*.parquet")]
    }
    with duckdb.connect() as connection:
        query = f"SELECT count(*) FROM read_parquet('{directory}/*.rows.parquet')"
        assert connection.execute(query).fetchall() == [(RUNS,)]
    assert not list(directory.glob("*.tmp"))


def test_a_run_that_changed_or_went_is_not_read_from_it(directory):
    changed, gone = directory / f"{FIRST}.json", directory / f"{SECOND}.json"
    write(run_file([case("other")], id=FIRST), changed)
    os.utime(changed, ns=(1, 1))
    gone.unlink()
    found = answer(directory)
    assert [row[1] for row in found if row[0] == FIRST] == [case("other").id]
    assert SECOND not in {row[0] for row in found}
    assert len(found) == RUNS - 1
    assert found == without(directory)


def test_rows_that_were_deleted_are_made_anew(directory):
    parquet.rows_path(directory / f"{FIRST}.json").unlink()
    found = answer(directory)
    assert parquet.rows_path(directory / f"{FIRST}.json").exists()
    assert found == without(directory)


def test_a_run_that_goes_on_again_is_read_from_its_journal(directory):
    (directory / f"{FIRST}.journal").write_text("")
    opened = parquet.open_directory(directory, ["run_id"], MANY)
    assert (FIRST,) not in opened.select("run_id")
    assert set(opened.unreadable) == {FIRST}


def test_more_runs_are_added_to_it(directory):
    """As many new ones as are worth it; a copy that is outdated by then is replaced."""
    text = (directory / f"{FIRST}.json").read_text()
    for number in range(MANY - 1):
        path = directory / f"20250102T000000Z-{number:04d}.json"
        path.write_text(text.replace(FIRST, path.stem))
    at = (directory / collected.NAME).stat().st_ino
    answer(directory)
    assert (directory / collected.NAME).stat().st_ino == at
    write(run_file([case("other")], id=FIRST), directory / f"{FIRST}.json")
    answer(directory)
    assert len(copies(directory)) == RUNS + MANY - 1
    found = answer(directory)
    assert found == without(directory)
    assert [row[1] for row in found if row[0] == FIRST] == [case("other").id]


def test_one_that_is_damaged_is_made_anew(directory):
    path = directory / collected.NAME
    whole = path.read_bytes()
    for content in (b"", b"PAR1", whole[: len(whole) // 2], b"no Parquet at all" * 100):
        path.write_bytes(content)
        assert len(answer(directory)) == RUNS
        assert len(copies(directory)) == RUNS
    assert answer(directory) == without(directory)


def test_one_of_another_form_is_made_anew(directory):
    path = directory / collected.NAME
    with duckdb.connect() as connection:
        for query in ("SELECT 'old' AS run_id", "SELECT 'x' AS run_id, 'x' AS kept_as, 'x' AS at_ns"):
            path.unlink()
            connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
            assert {run_id for run_id, _ in answer(directory, ["run_id"])} == {p.stem for p in directory.glob("*.json")}
            assert len(copies(directory)) == RUNS


def test_rows_of_an_older_form_do_not_keep_it_from_being_made(directory):
    """A column that nobody asks for is not in one rows file, and so not in the file that was made of it."""
    old = parquet.rows_path(directory / f"{FIRST}.json")
    at_ns = old.stat().st_mtime_ns
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * EXCLUDE pue FROM read_parquet('{old}')) TO '{old}.x' (FORMAT parquet)")
    os.replace(f"{old}.x", old)
    os.utime(old, ns=(at_ns, at_ns))
    (directory / collected.NAME).unlink()
    assert len(answer(directory)) == RUNS
    assert copies(directory) == {parquet.rows_path(path).name for path in directory.glob("*.json")} - {old.name}
    assert len(answer(directory, list(COLUMNS))) == RUNS
    assert answer(directory) == without(directory)


def test_those_who_write_it_at_once_all_have_every_run(directory):
    """Each changes runs, so that it is written anew all the time, and takes it away now and then."""

    def look(number):
        answers = []
        for turn in range(5):
            (directory / f"20250101T000000Z-{number:04d}.json").touch()
            if turn % 3 == 2:
                (directory / collected.NAME).unlink(missing_ok=True)
            answers.append(sorted(parquet.open_directory(directory, ["run_id"], 1).select("run_id")))
        return answers

    expected = sorted((path.stem,) for path in directory.glob("*.json"))
    with ThreadPoolExecutor(2) as pool:
        for answers in pool.map(look, range(2)):
            assert answers == [expected] * 5
    assert not list(directory.glob(".*.tmp"))
    assert answer(directory) == without(directory)


def test_who_may_not_read_the_rows_may_not_read_it(directory):
    mode = stat.S_IMODE((directory / f"{FIRST}.json").stat().st_mode)
    assert stat.S_IMODE((directory / collected.NAME).stat().st_mode) == mode & 0o666
    for path in directory.glob("*.rows.parquet"):
        path.chmod(0o600)
    without(directory)
    assert stat.S_IMODE((directory / collected.NAME).stat().st_mode) == 0o600


NOBODY = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import duckdb
from joulemark.suite import records
from joulemark.suite.results.history import collected, parquet
os.chdir(sys.argv[2])
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)  # nobody; after the imports, which may lie where only root can read
print(len(parquet.open_directory(Path(), ["run_id"], 6).select("run_id")), os.path.exists(collected.NAME))
"""


@pytest.mark.parametrize("there", [True, False])
def test_a_directory_that_cannot_be_written_goes_without(directory, there):
    if not there:
        (directory / collected.NAME).unlink()
    (directory / f"{FIRST}.json").touch()  # its rows can neither be read from a file nor written
    for path in directory.iterdir():
        path.chmod(0o444)
    directory.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", NOBODY, str(ROOT), str(directory)],
            check=False,
            capture_output=True,
            text=True,
            timeout=280,
        )
    finally:
        directory.chmod(0o755)
    assert (done.stdout, done.stderr, done.returncode) == (f"{RUNS} {there}\n", "", 0)
