"""Rows in a place that fsspec knows: queried in place, made in memory if there are none."""

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
def url(tmp_path):
    """A place with two runs, one of them with rows, temporary files and a broken run file."""
    for file in (full(), on_gpu()):
        path = tmp_path / f"{file.run.id}.json"
        write(file, path)
    parquet.keep(path, file)
    (tmp_path / ".20261103T120000Z-c3d4.json.x.tmp").write_text("{}")
    (tmp_path / ".20261103T120000Z-c3d4.json").write_text(run_file(id="20261103T120000Z-c3d4").model_dump_json())
    (tmp_path / "20261104T120000Z-d4e5.json").write_text("{")
    memory = fsspec.filesystem("memory")
    root = f"/{tmp_path.name}/runs"
    for path in tmp_path.iterdir():
        memory.pipe(f"{root}/{path.name}", path.read_bytes())
    yield f"memory:/{root}"
    memory.rm(f"/{tmp_path.name}", recursive=True)


def test_rows_and_run_files_are_read_and_nothing_is_written(url):
    before = fsspec.filesystem("memory").ls(url, detail=False)
    rows = open_rows(url, ["run_id", "case_id", "throughput"])
    assert rows.select("run_id, count(throughput)", "GROUP BY run_id ORDER BY run_id") == [
        (full().run.id, 6),
        (on_gpu().run.id, 18),
    ]
    assert set(rows.unreadable) == {"20261104T120000Z-d4e5"}
    assert fsspec.filesystem("memory").ls(url, detail=False) == before


def test_damaged_rows_are_made_in_memory(url):
    memory = fsspec.filesystem("memory")
    memory.pipe(f"{url}/{on_gpu().run.id}{parquet.SUFFIX}", b"PAR1 truncated")
    assert open_rows(url, ["case_id"]).select("count(*)") == [(25,)]


def test_a_byte_order_mark_is_no_part_of_a_run_file(url):
    memory = fsspec.filesystem("memory")
    name = f"{url}/{full().run.id}.json"
    memory.pipe(name, b"\xef\xbb\xbf" + memory.cat_file(name))
    assert set(open_rows(url, ["case_id"]).unreadable) == {"20261104T120000Z-d4e5"}


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("memory://no/such/place", "memory://no/such/place"),
        ("nosuchprotocol://bucket/runs", "nosuchprotocol"),
        ("/no/such/directory", "/no/such/directory"),
    ],
)
def test_an_unreadable_place_is_one_line(location, named):
    with pytest.raises(UsageError) as caught:
        open_rows(location, ["case_id"])
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
