"""Contradictions in run files that were edited by hand."""

from __future__ import annotations

from typing import Any

import pytest
from edited_run_files import edited, refusal
from run_files import run_file

from joulemark.suite.records import parse
from joulemark.suite.results.summary import recompute

CONTRADICTIONS: list[tuple[str, Any, str, str]] = [
    ("run.started_at", "yesterday", "run.started_at:", "'yesterday'"),
    ("run.started_at", "2026-11-25T06:00:00", "run.started_at:", "'2026-11-25T06:00:00'"),
    ("run.finished_at", "2026-13-01", "run.finished_at:", "'2026-13-01'"),
    ("idle.0.window_s", [3.0, 1.0], "idle.0.window_s:", "ends before it begins"),
    ("cases.1.id", run_file().cases[0].id, "cases.1 ", "the same id"),
    ("cases.0.trials.1.window_s", [20.0, 20.0], "trials.1.window_s:", "[20.0, 20.0]"),
    ("cases.0.trials.1.window_s", [20.0, 19.0], "trials.1.window_s:", "[20.0, 19.0]"),
    ("cases.0.summary.throughput.value", -5.0, "summary.throughput:", "-5 "),
    ("cases.0.summary.power_w.value", 0.0, "summary.power_w:", "0 is not positive"),
    ("cases.0.summary.throughput.value", 106.0, "summary.throughput.value:", "106 lies outside its trials' 95 to 105"),
    ("cases.0.summary.throughput.low", 101.0, "summary.throughput:", "99.9166 lies outside its interval [101, 113"),
    ("cases.0.summary.throughput.high", None, "summary.throughput:", "one end"),
    ("cases.0.summary.throughput.n", 4, "summary.throughput.n:", "4 trials, but 3 are ok"),
]


@pytest.mark.parametrize(("path", "value", "where", "problem"), CONTRADICTIONS)
def test_contradiction_is_refused_in_one_line(path: str, value: Any, where: str, problem: str) -> None:
    original = recompute(run_file(), run_file().emissions)
    assert parse(original.model_dump_json(), "x.json") == original
    line = refusal(edited(path, value, original))
    assert where in line
    assert problem in line


def test_grid_interval_needs_times_with_an_offset() -> None:
    interval = {"start": "2026-11-25T06:00:00Z", "end": "soon", "g_per_kwh": 40.0}
    line = refusal(edited("emissions.intervals", [interval]))
    assert "emissions.intervals.0.end: 'soon'" in line
