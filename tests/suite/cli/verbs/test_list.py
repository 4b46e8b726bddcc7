"""`joulemark list`. `tests/suite/terminal/test_listings.py` is about its tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark
from run_files import case, failed_trial, run_file, starting_at

from joulemark.suite.records import write
from joulemark.suite.results.history import parquet

pytestmark = pytest.mark.slow


def test_runs_oldest_first_and_unreadable_files_with_their_error(tmp_path: Path) -> None:
    for day in (2, 1):
        run = run_file([case(), case("matmul", trials=[failed_trial()])], id=f"2026110{day}T120000Z-a1b2")
        run = starting_at(run, f"2026-11-0{day}T12:00:00Z")
        write(run, tmp_path / "runs" / f"{run.run.id}.json")
    (tmp_path / "runs" / "20261130T000000Z-ffff.json").write_text("{")
    rows = json.loads(joulemark(tmp_path, "list", "--runs", "--json").stdout)["runs"]
    assert [row["id"] for row in rows] == ["20261101T120000Z-a1b2", "20261102T120000Z-a1b2", "20261130T000000Z-ffff"]
    assert rows[0] == {
        "id": "20261101T120000Z-a1b2",
        "path": str(tmp_path / "runs" / "20261101T120000Z-a1b2.json"),
        "started_at": "2026-11-01T12:00:00Z",
        "profile": "quick",
        "complete": True,
        "hostname": "bench-1",
        "cases": {"ok": 1, "failed": 1, "skipped": 0},
        "trials_lost": 0,
    }
    assert "broken or truncated" in rows[-1]["error"]
    assert len(list((tmp_path / "runs").glob(f"*{parquet.SUFFIX}"))) == 2


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ("--size tiny", ["--size", "--cases"]),
        ("--runs -k nonsense", ["-k", "--runs"]),
        ("--out here", ["--out", "--runs"]),
        ("--cases --out here", ["--out", "--runs"]),
        ("--cases --runs", ["--cases and --runs"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: str, texts: list[str]) -> None:
    done = joulemark(tmp_path, "list", *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(text in done.stderr for text in texts)
