"""What a case costs before it is in its stride: loading, and the first call with whatever it traces or compiles."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from joulemark.reports.figures.base import Figure, layout, log_axis, named, numbers
from joulemark.reports.figures.rows import case_label, row_axis, row_height
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.grid import Item, grid
from joulemark.reports.model.report import Report
from joulemark.suite import units

_HOW = (
    "Each row is one case: the time from the start of its process until it was loaded, its first call, and one steady "
    "step for scale. A first call with a cold cache pays for tracing and compilation; a warm one finds the run's own "
    "cache. The two are never averaged. Marks are medians over trials; the axis is logarithmic."
)
_STEADY = "steady step"
# (name, shape, colour) of each time: colours of the palette that no framework has.
_TIMES = (
    ("load", "line-ns-open", "#7a8594"),
    ("first call", "square", "#CC79A7"),
    ("first call, cold cache", "circle", "#CC79A7"),
    ("first call, warm cache", "circle-open", "#CC79A7"),
    (_STEADY, "diamond", "#009E73"),
)

Eager = tuple[Group, str]


def start_figure(report: Report) -> Figure | None:
    """Times by case; None where no trial recorded a load or a first call: own code has steps alone."""
    found = [(view, times) for view in report.shown if (times := _times(view))]
    if all(times.keys() <= {_STEADY} for _, times in found):
        return None
    values = [value for _, times in found for value in times.values()]
    eager = {(view.group, view.case.framework): times for view, times in found if view.case.mode == "eager"}
    return Figure(
        id="start",
        title="Start and compilation",
        finding=_finding(found),
        reading=_HOW,
        data=[
            _series(name, shape, colour, found)
            for name, shape, colour in _TIMES
            if any(name in times for _, times in found)
        ],
        layout=layout(
            row_height(len(found), 36),
            xaxis=log_axis("seconds", values),
            yaxis=row_axis([case_label(view) for view, _ in found]),
        ),
        table=grid(
            ("case", *(f"{name}, s" for name, _, _ in _TIMES), "steps until it pays"),
            [
                [view.full, *(times.get(name) for name, _, _ in _TIMES), _pays(view, times, eager)]
                for view, times in found
            ],
        ),
    )


def _times(view: CaseView) -> dict[str, float]:
    """Median seconds of each time that the case's trials recorded."""
    samples: dict[str, list[float]] = {name: [] for name, _, _ in _TIMES}
    for trial in view.trials:
        if trial.load_s:
            samples["load"].append(trial.load_s)
        if trial.first_call_s:
            cache = f", {trial.compile_cache} cache" if trial.compile_cache else ""
            samples[f"first call{cache}"].append(trial.first_call_s)
    step_s = view.quantity("step_time_s").value
    found = {name: statistics.median(values) for name, values in samples.items() if values}
    return {**found, _STEADY: step_s} if step_s else found


def _first(times: dict[str, float]) -> float:
    return max((value for name, value in times.items() if name.startswith("first call")), default=0.0)


def _finding(found: Sequence[tuple[CaseView, dict[str, float]]]) -> str:
    view, times = max(found, key=lambda pair: _first(pair[1]))
    if first_s := _first(times):
        return f"The dearest first call: {view.full}, {units.quantity(first_s, 's')}."
    view, times = max(found, key=lambda pair: pair[1].get("load", 0.0))
    return f"The longest load: {view.full}, {units.quantity(times['load'], 's')}."


def _pays(view: CaseView, own: dict[str, float], eager: dict[Eager, dict[str, float]]) -> Item:
    """Steps after which this mode has made up for its dearer first call, against its framework's eager mode."""
    if view.case.mode == "eager":
        return "is eager"
    plain = eager.get((view.group, view.case.framework))
    if plain is None:
        return "no eager case beside it"
    saved_s = plain.get(_STEADY, 0.0) - own.get(_STEADY, 0.0)
    return "never" if saved_s <= 0 else max(0.0, (_first(own) - _first(plain)) / saved_s)


def _series(name: str, shape: str, colour: str, found: Sequence[tuple[CaseView, dict[str, float]]]) -> dict[str, Any]:
    have = [(i, view, times[name]) for i, (view, times) in enumerate(found) if name in times]
    made = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": numbers(value for _, _, value in have),
        "y": [i for i, _, _ in have],
        "marker": {"symbol": shape, "size": 11, "color": colour, "line": {"width": 2 if "open" in shape else 0}},
    }
    return made | named([view.key for _, view, _ in have], f"{name}: %{{x:.4s}}s")
