"""Many runs without rows, such as in a directory that was copied without them."""

from __future__ import annotations

import os

import duckdb
from run_files import run_file

from joulemark.suite.records import write
from joulemark.suite.results.history import collected
from joulemark.suite.results.history.directory import FEW, open_directory


def test_rows_of_many_runs_go_into_the_collection_alone(tmp_path):
    """Writing a rows file for each, durably, takes longer than reading the runs."""
    runs = FEW + 1
    for number in range(runs):
        write(run_file(id=f"20260101T{number:06}Z-a"), tmp_path / f"20260101T{number:06}Z-a.json")
    (tmp_path / "20260102T000000Z-bad.json").write_text("{")
    opened = open_directory(tmp_path, ["run_id"])
    assert len(set(opened.select("run_id, file"))) == runs
    assert set(opened.unreadable) == {"20260102T000000Z-bad"}
    assert list(tmp_path.glob("*.rows.parquet")) == []
    with duckdb.connect() as connection:
        kept = connection.execute(
            f"SELECT DISTINCT kept_as FROM read_parquet('{tmp_path / collected.NAME}')"
        ).fetchall()
    assert len(kept) == runs
    for path in tmp_path.glob("*Z-a.json"):
        mtime_ns = path.stat().st_mtime_ns
        path.write_bytes(b"not read again")
        os.utime(path, ns=(mtime_ns, mtime_ns))
    again = open_directory(tmp_path, ["run_id"])
    assert set(again.select("run_id, file")) == set(opened.select("run_id, file"))
    assert set(again.unreadable) == {"20260102T000000Z-bad"}
