"""Rows beside run files: what they say, when they are made anew, and that DuckDB reads them where they lie."""

from __future__ import annotations

import os
from datetime import datetime

import duckdb
import pytest
from report_files import cases, full, on_gpu, summarised
from run_files import case, failed_trial, run_file

from joulemark.suite.records import write
from joulemark.suite.records.journal import SUFFIX, Journal
from joulemark.suite.results.history import parquet
from joulemark.suite.results.history.remote import open_rows
from joulemark.suite.results.history.rows import COLUMNS, QUANTITIES, rows, utc

ID = "20261101T120000Z-a1b2"


@pytest.fixture
def directory(tmp_path):
    """Two runs; one of them has a case that failed."""
    write(full(), tmp_path / f"{ID}.json")
    write(on_gpu(), tmp_path / "20261102T120000Z-b2c3.json")
    return tmp_path


def test_a_row_says_what_the_summary_says():
    file = on_gpu()
    made = rows(file)
    assert [set(row) for row in made] == [set(COLUMNS)] * len(file.cases)
    for row, one in zip(made, file.cases, strict=True):
        assert (row["case_id"], row["framework"], row["batch_size"]) == (one.id, one.framework, one.batch_size)
        for name in ("throughput", "energy_per_item_j", "emissions_g_per_1000_items", "power_w"):
            quantity = getattr(one.summary, name)
            stored = tuple(row[name + end] for end in ("", "_low", "_high", "_n"))
            assert stored == (quantity.value, quantity.low, quantity.high, quantity.n)
        assert row["energy_kind"] == one.summary.energy_per_item_j.kind
        assert row["board"] == ("Test Board" if one.device == "cuda:0" else None)
    assert made[-1]["peak_memory_bytes"] == 2e9
    assert made[0]["started_at"] == datetime(2026, 11, 2, 12)


def test_a_case_on_several_boards_has_the_names_of_all():
    file = on_gpu()
    (one,) = file.machine.gpus
    gpus = (one, one.model_copy(update={"device": "cuda:1"}), one.model_copy(update={"device": "cuda:2", "name": "B"}))
    machine = file.machine.model_copy(update={"gpus": gpus})
    boards = {}
    for device in ("cuda:0+cuda:1", "cuda:0+cuda:2", "cuda:2", "cpu"):
        cases = (file.cases[0].model_copy(update={"device": device}),)
        (row,) = rows(file.model_copy(update={"machine": machine, "cases": cases}))
        boards[device] = row["board"], row["driver"]
    assert boards == {
        "cuda:0+cuda:1": ("Test Board", one.driver),
        "cuda:0+cuda:2": ("Test Board, B", one.driver),
        "cuda:2": ("B", one.driver),
        "cpu": (None, None),
    }


def test_what_was_not_measured_is_null_and_never_zero():
    failed = next(row for row in rows(full()) if row["status"] == "failed")
    assert [failed[source.key] for source in QUANTITIES] == [None] * len(QUANTITIES)
    assert (failed["reason_code"], failed["trials_ok"], failed["trials_lost"]) == (None, 0, 1)
    silent = rows(summarised(run_file(cases(kind="unavailable"), traces=(), idle=())))[0]
    assert silent["energy_per_item_j"] is None
    assert silent["throughput"] > 0


def test_a_run_without_cases_has_a_row():
    (row,) = rows(run_file([]))
    assert (row["run_id"], row["case_id"]) == (ID, None)


@pytest.mark.parametrize(
    "text",
    ["2026-11-01T12:00:00Z", "2026-11-01T12:00:00.000+00:00", "2026-11-01T13:00:00+01:00", "2026-11-01T12:00:00"],
)
def test_times_are_utc(text):
    assert utc(text) == datetime(2026, 11, 1, 12)


def test_rows_are_made_once_and_read_afterwards(directory):
    first = parquet.open_directory(directory, ["case_id"]).select("count(*)")
    made = {path: path.stat().st_ino for path in directory.glob("*.rows.parquet")}
    assert len(made) == 2
    assert parquet.open_directory(directory, ["case_id"]).select("count(*)") == first
    assert {path: path.stat().st_ino for path in made} == made


def test_duckdb_reads_them_where_they_lie(directory):
    parquet.open_directory(directory, ["case_id"])
    query = f"SELECT hostname, count(*) FROM read_parquet('{directory}/*.rows.parquet') GROUP BY ALL ORDER BY ALL"
    with duckdb.connect() as connection:
        assert connection.execute(query).fetchall() == [("bench-1", 7), ("gpu-1", 18)]


def test_a_run_file_that_changed_has_new_rows(directory):
    path = directory / f"{ID}.json"
    parquet.open_directory(directory, ["case_id"])
    write(run_file([case("other")]), path)
    os.utime(path, ns=(1, 1))  # older than its rows: it was put there from elsewhere
    found = parquet.open_directory(directory, ["run_id", "case_id"])
    assert found.select("case_id", "WHERE run_id = ?", [ID]) == [(case("other").id,)]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no Parquet at all" * 100], ids=["empty", "cut off", "foreign"])
def test_damaged_rows_are_made_anew(directory, content):
    parquet.open_directory(directory, ["case_id"])
    source = directory / f"{ID}.json"
    kept = parquet.rows_path(source)
    at_ns = source.stat().st_mtime_ns
    kept.write_bytes(content)
    os.utime(kept, ns=(at_ns, at_ns))
    assert parquet.open_directory(directory, ["case_id"]).select("count(*)") == [(25,)]
    assert kept.read_bytes() != content


def test_rows_of_another_form_are_made_anew(directory):
    """As an older version of the suite may have left them."""
    source = directory / f"{ID}.json"
    kept, at_ns = parquet.rows_path(source), source.stat().st_mtime_ns
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 'old' AS run_id) TO '{kept}' (FORMAT parquet)")
    os.utime(kept, ns=(at_ns, at_ns))
    assert parquet.open_directory(directory, ["run_id", "case_id"]).select("count(case_id)") == [(25,)]


def test_a_run_that_goes_on_is_read_from_its_journal_and_leaves_no_rows(directory):
    made = Journal(directory / f"20261103T120000Z-c3d4{SUFFIX}", run_file(id="20261103T120000Z-c3d4"))
    made.close()
    found = parquet.open_directory(directory, ["run_id"])
    assert ("20261103T120000Z-c3d4",) in found.select("DISTINCT run_id")
    assert len(list(directory.glob("*.rows.parquet"))) == 2


def test_a_run_that_cannot_be_read_is_named_and_the_others_are_there(directory):
    (directory / "20261104T120000Z-d4e5.json").write_text("{")
    found = parquet.open_directory(directory, ["run_id"])
    assert found.select("count(DISTINCT run_id)") == [(2,)]
    path, reason = found.unreadable["20261104T120000Z-d4e5"]
    assert path.endswith("d4e5.json")
    assert "broken or truncated" in reason


def test_a_directory_whose_name_looks_like_a_pattern(tmp_path):
    directory = tmp_path / "runs [old]*?'s"
    write(full(), directory / f"{ID}.json")
    for _ in range(2):
        assert parquet.open_directory(directory, ["run_id"]).select("count(*)") == [(7,)]


def test_a_case_that_failed_keeps_its_reason():
    file = summarised(run_file([case(trials=[failed_trial()], reason_code="out_of_memory")]))
    assert rows(file)[0]["reason_code"] == "out_of_memory"


def test_a_file_address_is_a_directory(directory):
    assert open_rows(f"file://{directory}", ["case_id"]).select("count(*)") == [(25,)]
    assert len(list(directory.glob("*.rows.parquet"))) == 2
