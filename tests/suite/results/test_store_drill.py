"""The store under fire: writers killed at any moment, full disks. benchmarks/store_drill.py kills 200 times."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import store_drill
from places import ROOT, SUPPORT

from joulemark.suite.errors import UsageError
from joulemark.suite.records import read
from joulemark.suite.records.journal import SUFFIX
from joulemark.suite.results import store
from joulemark.suite.results.assemble import assemble
from joulemark.suite.results.history import parquet


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Our interpreter with the test helpers on its path."""
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(SUPPORT)!r}]; import runpy; sys.argv = sys.argv[1:]; "
    return subprocess.run(
        [sys.executable, "-P", "-c", code + "runpy.run_path(sys.argv[0], run_name='__main__')", *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        check=True,
    )


def test_whatever_kills_two_writers_every_finished_run_is_there(tmp_path):
    done = python(str(SUPPORT / "store_drill.py"), str(tmp_path), "12", "1")
    finished = json.loads(done.stdout)
    assert {"20261101T120000Z-zzza-0", "20261101T120000Z-zzzb-0"} <= set(finished)
    for run_id in finished:
        file = store.load(run_id, tmp_path)
        assert file.run.id == run_id
        assert file.run.complete
        assert [case.status for case in file.cases] == ["ok", "ok"]
    kept = store.kept_runs(tmp_path)
    assert not [path.name for path in kept if path.name.startswith(".")]
    found = parquet.open_directory(tmp_path, ["run_id", "case_id", "throughput"])
    by_run = dict(found.select("run_id, count(throughput)", "WHERE case_id IS NOT NULL GROUP BY run_id"))
    assert {run_id: by_run.get(run_id) for run_id in finished} == dict.fromkeys(finished, 2)
    # A journal may have been killed before its first line was written: that one is listed with its reason.
    assert all(path.endswith(SUFFIX) for path, _ in found.unreadable.values())


NO_ROOM = """
import resource, sys
from pathlib import Path
import store_drill
from joulemark.suite.errors import UsageError
from joulemark.suite.records.journal import Journal
from joulemark.suite.results.assemble import finish
directory, room = Path(sys.argv[1]), int(sys.argv[2])
file = store_drill.planned("20261101T120000Z-full")
made = Journal(directory / "20261101T120000Z-full.journal", file)
store_drill.done(made, file.cases[0])
resource.setrlimit(resource.RLIMIT_FSIZE, (made.path.stat().st_size + room, resource.RLIM_INFINITY))
try:
    store_drill.done(made, file.cases[1])
    made.end("2026-11-01T12:02:00Z")
    made.close()
    finish(made.path)
except UsageError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if sys.argv[3] == "again":
    store_drill.done(made, file.cases[1])
"""


@pytest.mark.parametrize(
    ("room", "trials"), [(0, [1, 0]), (200, [1, 0]), (2_000, [1, 1])], ids=["none", "half a line", "no run file"]
)
def test_a_full_disk_loses_what_did_not_fit_and_nothing_else(tmp_path, room, trials):
    store_drill.write_run(tmp_path, "20261101T110000Z-whole")
    script = tmp_path / "script.py"
    script.write_text(NO_ROOM)
    (tmp_path / "runs").mkdir()
    done = python(str(script), str(tmp_path), str(room), "no")
    assert "File too large" in done.stdout
    assert len(done.stdout.strip().splitlines()) == 1
    assert store.load("20261101T110000Z-whole", tmp_path).run.complete
    cut = store.load("20261101T120000Z-full", tmp_path)
    assert [len(case.trials) for case in cut.cases] == trials
    assert not list(tmp_path.glob(".*.tmp"))
    assert [path.name for path in store.kept_runs(tmp_path)] == [
        "20261101T110000Z-whole.json",
        "20261101T120000Z-full.journal",
    ]


def test_a_journal_goes_on_where_there_is_room_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(NO_ROOM)
    python(str(script), str(tmp_path), "200", "again")
    file = assemble(tmp_path / "20261101T120000Z-full.journal")
    assert [len(case.trials) for case in file.cases] == [1, 1]


def test_a_run_that_cannot_begin_leaves_nothing(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import resource, sys\nfrom pathlib import Path\nimport store_drill\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "from joulemark.suite.errors import UsageError\n"
        "try:\n    store_drill.write_run(Path(sys.argv[1]), 'x')\n"
        "except UsageError as error:\n    print(error)\n"
    )
    done = python(str(script), str(tmp_path / "runs"))
    assert "cannot write" in done.stdout or "No such file" in done.stdout
    assert list((tmp_path / "runs").glob("*")) == []


def test_rows_that_cannot_be_written_are_held_in_memory(tmp_path):
    store_drill.write_run(tmp_path, "20261101T110000Z-whole")
    source = tmp_path / "20261101T110000Z-whole.json"
    kept = parquet.rows_path(source)
    kept.unlink()
    kept.mkdir()  # nothing can be put in its place
    (kept / "in the way").touch()
    assert parquet.keep(source, read(source)) is None
    assert not list(tmp_path.glob(".*.tmp"))
    found = parquet.open_directory(tmp_path, ["run_id"])
    assert found.select("run_id, file") == [("20261101T110000Z-whole", str(source))] * 2


def test_what_was_never_finished_is_no_result(tmp_path):
    """A temporary has the name of what it was to become, between a dot and a suffix."""
    store_drill.write_run(tmp_path, "20261101T110000Z-whole")
    for name in (".20261101T120000Z-a.json.x1.tmp", ".20261101T120000Z-b.json", ".20261101T120000Z-c.journal"):
        (tmp_path / name).write_text("{}")
    assert [path.stem for path in store.kept_runs(tmp_path)] == ["20261101T110000Z-whole"]
    assert store.find("latest", tmp_path).stem == "20261101T110000Z-whole"
    with pytest.raises(UsageError, match="unknown run"):
        store.find(".2026", tmp_path)
