"""Startup and compilation: loading, and the first call with whatever it traces or compiles."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from joulemark.reports.data_table import TableValue, data_table
from joulemark.reports.markers import ACCENT
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.axes import log_axis
from joulemark.reports.plotting.case_rows import case_label, row_axis, row_height
from joulemark.reports.plotting.figure import Figure, case_hover, layout, numbers
from joulemark.suite import units

_HOW_TO_READ = (
    "Each row is one case: the time from the start of its process until it was loaded, its first call, and one steady "
    "step for scale. A first call with a cold cache includes tracing and compilation; a warm one uses the run's own "
    "cache. The two are never averaged. Marks are medians over trials; the axis is logarithmic."
)
_STEADY = "steady step"
# (name, shape, colour) of each time: colours of the palette that no framework has.
_TIMES = (
    ("load", "line-ns-open", "#7a8594"),
    ("first call", "square", "#CC79A7"),
    ("first call, cold cache", "circle", "#CC79A7"),
    ("first call, warm cache", "circle-open", "#CC79A7"),
    (_STEADY, "diamond", ACCENT),
)

Times = Mapping[str, float]
"""Seconds by the name of the time."""


def figures(report: Report) -> list[Figure]:
    """Return the times by case; none if no trial recorded a load or a first call: a user's own code has steps alone."""
    cases = [(view, times) for view in report.shown if (times := _times(view))]
    if all(times.keys() <= {_STEADY} for _, times in cases):
        return []
    eager = {(view.group, view.case.framework): times for view, times in cases if view.case.mode == "eager"}
    figure = Figure(
        id="startup",
        title="Startup and compilation",
        summary=_summary(cases),
        how_to_read=_HOW_TO_READ,
        data=[
            _series(name, shape, colour, cases)
            for name, shape, colour in _TIMES
            if any(name in times for _, times in cases)
        ],
        layout=layout(
            row_height(len(cases), 36),
            xaxis=log_axis("seconds", [value for _, times in cases for value in times.values()]),
            yaxis=row_axis([case_label(view) for view, _ in cases]),
        ),
        table=data_table(
            ("case", *(f"{name}, s" for name, _, _ in _TIMES), "steps to break even"),
            [
                [view.full_name, *(times.get(name) for name, _, _ in _TIMES), _steps_to_break_even(view, times, eager)]
                for view, times in cases
            ],
        ),
    )
    return [figure]


def _times(view: CaseView) -> dict[str, float]:
    """Return the median of each time that the case's trials recorded, seconds."""
    samples: dict[str, list[float]] = {name: [] for name, _, _ in _TIMES}
    for trial in view.trials:
        if trial.load_s:
            samples["load"].append(trial.load_s)
        if trial.first_call_s:
            cache = f", {trial.compile_cache} cache" if trial.compile_cache else ""
            samples[f"first call{cache}"].append(trial.first_call_s)
    step_s = view.quantity("step_time_s").value
    medians = {name: statistics.median(values) for name, values in samples.items() if values}
    return {**medians, _STEADY: step_s} if step_s else medians


def _first_call_s(times: Times) -> float:
    return max((value for name, value in times.items() if name.startswith("first call")), default=0.0)


def _summary(cases: Sequence[tuple[CaseView, Times]]) -> str:
    view, times = max(cases, key=lambda case: _first_call_s(case[1]))
    if first_call_s := _first_call_s(times):
        return f"Slowest first call: {view.full_name}, {units.quantity(first_call_s, 's')}."
    view, times = max(cases, key=lambda case: case[1].get("load", 0.0))
    return f"Slowest load: {view.full_name}, {units.quantity(times['load'], 's')}."


def _steps_to_break_even(view: CaseView, times: Times, eager: Mapping[tuple[Group, str], Times]) -> TableValue:
    """Return the steps after which this mode has made up for its slower first call, against eager mode."""
    if view.case.mode == "eager":
        return "is eager"
    eager_times = eager.get((view.group, view.case.framework))
    if eager_times is None:
        return "no eager case to compare with"
    saved_s = eager_times.get(_STEADY, 0.0) - times.get(_STEADY, 0.0)
    return "never" if saved_s <= 0 else max(0.0, (_first_call_s(times) - _first_call_s(eager_times)) / saved_s)


def _series(name: str, shape: str, colour: str, cases: Sequence[tuple[CaseView, Times]]) -> dict[str, Any]:
    points = [(row, view, times[name]) for row, (view, times) in enumerate(cases) if name in times]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(time_s for _, _, time_s in points),
        "y": [row for row, _, _ in points],
        "marker": {"symbol": shape, "size": 11, "color": colour, "line": {"width": 2 if "open" in shape else 0}},
    }
    return trace | case_hover([view.key for _, view, _ in points], f"{name}: %{{x:.4s}}s")
