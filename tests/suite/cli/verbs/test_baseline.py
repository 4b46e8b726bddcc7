"""`joulemark baseline`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import joulemark
from kept_runs import case_at, keep_run
from run_files import case, failed_trial

pytestmark = pytest.mark.slow


def test_save_replace_list_and_remove(tmp_path: Path) -> None:
    first, second = keep_run(tmp_path, 1, case_at()), keep_run(tmp_path, 2, case_at())
    assert "No baseline is kept yet" in joulemark(tmp_path, "baseline", "list").stdout
    for run in (first, second):
        assert joulemark(tmp_path, "baseline", "save", "main", run).returncode == 0
    (tmp_path / "baselines" / "old.json").write_text("{")
    rows = json.loads(joulemark(tmp_path, "baseline", "list", "--json").stdout)["baselines"]
    assert [(row["name"], row["run"], row["cases"]) for row in rows] == [("main", second, 1), ("old", None, None)]
    assert "is not JSON" in rows[1]["error"]
    assert "unreadable" in joulemark(tmp_path, "baseline", "list").stdout
    assert joulemark(tmp_path, "baseline", "remove", "main").returncode == 0
    gone = joulemark(tmp_path, "baseline", "remove", "main")
    assert gone.returncode == 3
    assert "old" in gone.stderr


def test_run_without_results_is_not_saved(tmp_path: Path) -> None:
    keep_run(tmp_path, 1, case(trials=[failed_trial()]))
    assert joulemark(tmp_path, "baseline", "save", "main").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "text"), [([], "save NAME"), (["save", "a/b"], "'a/b'"), (["save", "history"], "history")]
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str], text: str) -> None:
    keep_run(tmp_path, 1, case_at())
    done = joulemark(tmp_path, "baseline", *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), done.stderr
    assert text in done.stderr
