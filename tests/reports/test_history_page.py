"""The page of cases over time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from command import joulemark
from report_files import summarised, trials
from run_files import case, failed_trial, run_file

from joulemark.reports.history_page import render
from joulemark.suite.records import write
from joulemark.suite.results.history.series import Point, Series


@pytest.mark.slow
def test_one_run_and_a_case_that_was_never_measured(tmp_path: Path) -> None:
    """The case without a value comes first: the explanation of the chart is there all the same."""
    cases = [case("a", trials=[failed_trial()]), case(trials=trials(100.0, 50.0, 8.0))]
    write(summarised(run_file(cases)), tmp_path / "runs" / "a.json")
    done = joulemark(tmp_path, "history", "--metric", "throughput", "-o", "page.html", "--plotlyjs", "cdn")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "1 run on bench-1: no change point found." in page
    assert "no value in 1 run<" in page
    assert "Each point is one run" in page


@pytest.mark.parametrize(("runs", "is_cut"), [(200, False), (201, True)])
def test_long_table_names_the_command_for_all_runs(runs: int, is_cut: bool) -> None:
    start = datetime(2026, 11, 1)
    series = Series(
        case="cnn:small/training/pytorch/eager",
        metric="energy",
        unit="J",
        better="lower",
        fingerprint="f",
        hostname="host",
        workload_version="0",
        kind=None,
        points=tuple(Point(f"r{i}", start + timedelta(hours=i), 1.0, None, None, 1, {}) for i in range(runs)),
        runs_without_value=1,
        changes=(),
    )
    page = render([series], "cdn")
    assert "No value in 1 run." in page
    assert ("<code>joulemark history --csv</code>" in page) == is_cut
