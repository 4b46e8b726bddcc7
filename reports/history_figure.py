"""One case over time: the value of each run with its interval, and the level between change points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from joulemark.reports.data_table import DataTable, data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import marker
from joulemark.reports.plotting.axes import vertical_line
from joulemark.reports.plotting.figure import Figure, error_bars, layout, number, numbers
from joulemark.suite.results.history.series import Change, Point, Series
from joulemark.suite.units import counted, prefix

TABLE_ROWS = 200
"""The latest runs that stand in the table under a chart; the chart has all."""

_HOW_TO_READ = (
    "Each point is one run, with the 95 % confidence interval over its trials. The solid line is the level between two "
    "change points: the geometric mean of those runs. A dashed vertical line is a change point, where the level "
    "changed for good; a flat history raises one in 1 % of cases at most. Variation from run to run comes on top of "
    "the intervals."
)


def history_figures(series: Sequence[Series], first_number: int = 0) -> tuple[Figure, ...]:
    """Return a figure for each series that has points."""
    numbered = enumerate(series, first_number)
    return tuple(_figure(of_case, f"series-{i}") for i, of_case in numbered if of_case.points)


def _figure(series: Series, id: str) -> Figure:
    colour = marker(*_framework_and_mode(series.case)).colour
    factor, unit_prefix = prefix(series.points[-1].value)
    levels = [_level_trace(series, first, last, factor, colour) for first, last in series.levels]
    estimated = "estimated " if series.kind and series.kind.startswith("estimated") else ""
    return Figure(
        id=id,
        title=f"{series.case}, {series.metric}",
        summary=_summary(series),
        how_to_read=_HOW_TO_READ,
        data=[_run_trace(series, factor), *levels],
        layout=layout(
            300,
            xaxis={"type": "date"},
            yaxis={"title": {"text": f"{estimated}{unit_prefix}{series.unit}"}, "automargin": True},
            shapes=[vertical_line(_time(change.point), "dash") for change in series.changes],
        ),
        table=_table(series),
        footnote=f"No value in {counted(series.runs_without_value, 'run')}." if series.runs_without_value else "",
    )


def _run_trace(series: Series, factor: float) -> dict[str, Any]:
    points = series.points
    of_case = marker(*_framework_and_mode(series.case))
    bars = error_bars((p.value / factor, _divided(p.low, factor), _divided(p.high, factor)) for p in points)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [_time(point) for point in points],
        "y": numbers(point.value / factor for point in points),
        "error_y": {**bars, "thickness": 1, "width": 0},
        "marker": {"color": of_case.colour, "size": 6, "symbol": of_case.shape},
        "hovertext": [for_plotly(f"run {point.run}, n={point.n}") for point in points],
        "hovertemplate": "%{hovertext}: %{y}<extra></extra>",
        "showlegend": False,
    }


def _framework_and_mode(case_id: str) -> tuple[str, str]:
    _, _, framework, mode = (*case_id.partition(":")[2].split("/"), "", "", "", "")[:4]
    return framework, mode


def _divided(value: float | None, factor: float) -> float | None:
    return None if value is None else value / factor


def _time(point: Point) -> str:
    return f"{point.started_at.isoformat()}Z"


def _level_trace(series: Series, first: int, last: int, factor: float, colour: str) -> dict[str, Any]:
    points = series.points[first:last]
    mean = math.exp(math.fsum(math.log(point.value) for point in points) / len(points))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [_time(points[0]), _time(points[-1])],
        "y": numbers([mean / factor] * 2),
        "line": {"color": colour, "width": 2},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _summary(series: Series) -> str:
    runs = f"{counted(len(series.points), 'run')} on {series.hostname}"
    if not series.changes:
        return f"{runs}: no change point found."
    return f"{runs}; " + "; ".join(_change_text(series, change) for change in series.changes) + "."


def _change_text(series: Series, change: Change) -> str:
    change_point = change.change_point
    improved = (change_point.ratio > 1) == (series.better == "higher")
    judgement = "" if series.better is None else ", better" if improved else ", worse"
    new_facts = "".join(f", {name} {before} to {after}" for name, (before, after) in change.new_facts.items())
    return (
        f"{change_point.ratio - 1:+.1%} [{change_point.low - 1:+.1%}, {change_point.high - 1:+.1%}]{judgement} "
        f"from {change.point.started_at:%Y-%m-%d} (run {change.point.run}{new_facts})"
    )


def _table(series: Series) -> DataTable:
    changes = {change.change_point.index: f"{change.change_point.ratio - 1:+.1%}" for change in series.changes}
    rows = [
        [
            point.run,
            f"{point.started_at:%Y-%m-%d %H:%M}",
            number(point.value),
            number(point.low),
            number(point.high),
            point.n,
            changes.get(i, ""),
        ]
        for i, point in enumerate(series.points)
    ]
    head = ("run", "started (UTC)", f"value, {series.unit}", "low", "high", "trials", "change")
    return data_table(head, rows[-TABLE_ROWS:])
