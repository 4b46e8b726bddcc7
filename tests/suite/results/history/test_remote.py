"""Rows at an address that fsspec knows: queried where they lie, made in memory where there are none."""

from __future__ import annotations

import fsspec
import pytest
from report_files import full, on_gpu
from run_files import run_file

from joulemark.suite.errors import UsageError
from joulemark.suite.records import write
from joulemark.suite.results.history import parquet
from joulemark.suite.results.history.remote import open_rows


@pytest.fixture
def place(tmp_path):
    """An address with two runs, of which one has rows beside it; a temporary and a broken file."""
    for file in (full(), on_gpu()):
        path = tmp_path / f"{file.run.id}.json"
        write(file, path)
    parquet.keep(path, file)
    (tmp_path / ".20261103T120000Z-c3d4.json.x.tmp").write_text("{}")
    (tmp_path / ".20261103T120000Z-c3d4.json").write_text(run_file(id="20261103T120000Z-c3d4").model_dump_json())
    (tmp_path / "20261104T120000Z-d4e5.json").write_text("{")
    memory = fsspec.filesystem("memory")
    address = f"/{tmp_path.name}/runs"
    for path in tmp_path.iterdir():
        memory.pipe(f"{address}/{path.name}", path.read_bytes())
    yield f"memory:/{address}"
    memory.rm(f"/{tmp_path.name}", recursive=True)


def test_rows_and_run_files_are_read_alike_and_nothing_is_written(place):
    before = fsspec.filesystem("memory").ls(place, detail=False)
    found = open_rows(place, ["run_id", "case_id", "throughput"])
    assert found.select("run_id, count(throughput)", "GROUP BY run_id ORDER BY run_id") == [
        (full().run.id, 6),
        (on_gpu().run.id, 18),
    ]
    assert set(found.unreadable) == {"20261104T120000Z-d4e5"}
    assert fsspec.filesystem("memory").ls(place, detail=False) == before


def test_rows_that_are_damaged_are_made_in_memory(place):
    memory = fsspec.filesystem("memory")
    memory.pipe(f"{place}/{on_gpu().run.id}{parquet.SUFFIX}", b"PAR1 cut off")
    assert open_rows(place, ["case_id"]).select("count(*)") == [(25,)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("memory://no/such/place", "no such place"),
        ("nosuchprotocol://bucket/runs", "nosuchprotocol"),
        ("/no/such/directory", "no such directory"),
    ],
)
def test_what_cannot_be_read_is_one_line(wrong, words):
    with pytest.raises(UsageError) as caught:
        open_rows(wrong, ["case_id"])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
