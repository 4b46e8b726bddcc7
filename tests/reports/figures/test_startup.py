"""Startup: load, cold and warm first calls, and the steps to break even."""

from __future__ import annotations

import pytest
from report_files import on_gpu, summarised
from run_files import case, run_file, trial

from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.sections import all_figures
from joulemark.suite.records import RunFile


def startup(run: RunFile) -> list[Figure]:
    return [figure for figure in all_figures(build([run])) if figure.id == "startup"]


def test_no_chart_without_a_load_or_a_first_call() -> None:
    """`joulemark measure` has steps alone; their slowest first call was once said to take 0 s."""
    steps_alone = [each.model_copy(update={"load_s": None, "first_call_s": None}) for each in (trial(), trial(2))]
    assert startup(summarised(run_file([case(trials=steps_alone)]))) == []
    loaded = [each.model_copy(update={"load_s": 2.0}) for each in steps_alone]
    (figure,) = startup(summarised(run_file([case(trials=loaded)])))
    assert "load" in figure.summary
    assert figure.summary.endswith(", 2.00 s.")


def test_cold_and_warm_first_calls_are_apart() -> None:
    (figure,) = startup(on_gpu())
    traces = {trace["name"]: trace for trace in figure.data}
    assert set(traces["first call, cold cache"]["x"]) == {30.0}
    assert set(traces["first call, warm cache"]["x"]) == {4.0}
    break_even = {row[0]: row[-1] for row in figure.table.rows}
    step_s = {view.full_name: view.quantity("step_time_s").value or 0.0 for view in build([on_gpu()]).shown}
    saved_s = step_s["cnn training, PyTorch eager, cuda:0"] - step_s["cnn training, PyTorch compile, cuda:0"]
    assert break_even["cnn training, PyTorch compile, cuda:0"] == pytest.approx((30.0 - 0.4) / saved_s)
    assert break_even["cnn training, PyTorch eager, cuda:0"] == "is eager"
