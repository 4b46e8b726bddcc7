"""The store under stress: writers killed at any moment, full disks. benchmarks/store_drill.py kills 200 times."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import store_drill
from places import ROOT, SUPPORT

from joulemark.suite.errors import UsageError
from joulemark.suite.records.journal import SUFFIX
from joulemark.suite.results import store
from joulemark.suite.results.assemble import assemble
from joulemark.suite.results.history import parquet
from joulemark.suite.results.history.directory import open_directory
from joulemark.suite.results.run_files import read

COMPLETE, FULL_DISK = "20261101T110000Z-complete", "20261101T120000Z-full"


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this interpreter with the test helpers on its path."""
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(SUPPORT)!r}]; import runpy; sys.argv = sys.argv[1:]; "
    return subprocess.run(
        [sys.executable, "-P", "-c", code + "runpy.run_path(sys.argv[0], run_name='__main__')", *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        check=True,
    )


@pytest.mark.slow
def test_every_finished_run_survives_the_killing_of_two_writers(tmp_path):
    done = python(str(SUPPORT / "store_drill.py"), str(tmp_path), "12", "1")
    finished = json.loads(done.stdout)
    assert {"20261101T120000Z-zzza-0", "20261101T120000Z-zzzb-0"} <= set(finished)
    for run_id in finished:
        file = store.load(run_id, tmp_path)
        assert file.run.id == run_id
        assert file.run.complete
        assert [case.status for case in file.cases] == ["ok", "ok"]
    assert not [path.name for path in store.kept_runs(tmp_path) if path.name.startswith(".")]
    rows = open_directory(tmp_path, ["run_id", "case_id", "throughput"])
    counts = dict(rows.select("run_id, count(throughput)", "WHERE case_id IS NOT NULL GROUP BY run_id"))
    assert {run_id: counts.get(run_id) for run_id in finished} == dict.fromkeys(finished, 2)
    # A writer may have been killed before the first line of its journal: that journal is listed as unreadable.
    assert all(path.endswith(SUFFIX) for path, _ in rows.unreadable.values())


LIMITED_SPACE = f"""
import resource, sys
from pathlib import Path
from journal_files import journal_path, planned_run, record_trial
from joulemark.suite.errors import UsageError
from joulemark.suite.records.journal import Journal
from joulemark.suite.results.assemble import finish
directory, space = Path(sys.argv[1]), int(sys.argv[2])
planned = planned_run({FULL_DISK!r}, rounds=1)
journal = Journal(journal_path(directory, planned.run.id), planned)
record_trial(journal, planned.cases[0])
resource.setrlimit(resource.RLIMIT_FSIZE, (journal.path.stat().st_size + space, resource.RLIM_INFINITY))
try:
    record_trial(journal, planned.cases[1])
    journal.end("2026-11-01T12:02:00Z")
    journal.close()
    finish(journal.path)
except UsageError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if sys.argv[3] == "retry":
    record_trial(journal, planned.cases[1])
"""


@pytest.fixture
def limited_space(tmp_path):
    path = tmp_path / "limited_space.py"
    path.write_text(LIMITED_SPACE)
    return str(path)


@pytest.mark.parametrize(
    ("space", "trials"), [(0, [1, 0]), (200, [1, 0]), (2_000, [1, 1])], ids=["none", "half a line", "no run file"]
)
def test_a_full_disk_loses_only_what_did_not_fit(tmp_path, limited_space, space, trials):
    store_drill.write_run(tmp_path, COMPLETE)
    done = python(limited_space, str(tmp_path), str(space), "no retry")
    assert "File too large" in done.stdout
    assert len(done.stdout.strip().splitlines()) == 1
    assert store.load(COMPLETE, tmp_path).run.complete
    assert [len(case.trials) for case in store.load(FULL_DISK, tmp_path).cases] == trials
    assert not list(tmp_path.glob(".*.tmp"))
    assert [path.name for path in store.kept_runs(tmp_path)] == [f"{COMPLETE}.json", f"{FULL_DISK}.journal"]


def test_a_journal_continues_once_there_is_space_again(tmp_path, limited_space):
    python(limited_space, str(tmp_path), "200", "retry")
    assert [len(case.trials) for case in assemble(tmp_path / f"{FULL_DISK}.journal").cases] == [1, 1]


def test_a_run_that_fails_to_start_leaves_no_files(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import resource, sys\nfrom pathlib import Path\nimport store_drill\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "from joulemark.suite.errors import UsageError\n"
        "try:\n    store_drill.write_run(Path(sys.argv[1]), 'x')\n"
        "except UsageError as error:\n    print(error)\n"
    )
    done = python(str(script), str(tmp_path / "runs"))
    assert str(tmp_path / "runs") in done.stdout
    assert list((tmp_path / "runs").glob("*")) == []


def test_rows_that_cannot_be_written_are_held_in_memory(tmp_path):
    store_drill.write_run(tmp_path, COMPLETE)
    source = tmp_path / f"{COMPLETE}.json"
    path = parquet.rows_path(source)
    path.unlink()
    path.mkdir()  # a directory with a file in it cannot be replaced
    (path / "file").touch()
    assert parquet.keep(source, read(source)) is None
    assert not list(tmp_path.glob(".*.tmp"))
    assert open_directory(tmp_path, ["run_id"]).select("run_id, file") == [(COMPLETE, str(source))] * 2


def test_temporary_files_are_no_runs(tmp_path):
    """Their names begin with a dot."""
    store_drill.write_run(tmp_path, COMPLETE)
    for name in (".20261101T120000Z-a.json.x1.tmp", ".20261101T120000Z-b.json", ".20261101T120000Z-c.journal"):
        (tmp_path / name).write_text("{}")
    assert [path.stem for path in store.kept_runs(tmp_path)] == [COMPLETE]
    assert store.find("latest", tmp_path).stem == COMPLETE
    with pytest.raises(UsageError, match="unknown run"):
        store.find(".2026", tmp_path)
