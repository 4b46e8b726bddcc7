"""One case over time: each run's value with its interval, and the level of each stretch between steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, intervals, layout, number, numbers
from joulemark.reports.marks import NEUTRAL, mark
from joulemark.reports.model.grid import Grid, grid
from joulemark.suite.results.history.series import Change, Point, Series
from joulemark.suite.units import counted, prefix

ROWS = 200
"""The latest runs that stand in the table under a chart; the chart has all."""

_READING = (
    "Each point is one run, with the 95 % interval between its trials. The line is the level between two steps: the "
    "geometric mean of its runs. A dashed line across is a step, a change of level that lasts; a flat history raises "
    "one in 1 % of cases at most. What changes from run to run comes on top of the intervals."
)


def over_time(found: Sequence[Series], number_from: int = 0) -> tuple[Figure, ...]:
    """A chart for each series that has points."""
    return tuple(_figure(one, f"series-{i}") for i, one in enumerate(found, number_from) if one.points)


def _figure(one: Series, name: str) -> Figure:
    _, _, _, framework, mode = _axes(one.case)
    colour = mark(framework, mode).colour
    factor, unit = prefix(one.points[-1].value)
    times = [_time(point) for point in one.points]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": times,
            "y": numbers(point.value / factor for point in one.points),
            "error_y": {
                **intervals((p.value / factor, _over(p.low, factor), _over(p.high, factor)) for p in one.points),
                "thickness": 1,
                "width": 0,
            },
            "marker": {"color": colour, "size": 6, "symbol": mark(framework, mode).shape},
            "hovertext": [for_plotly(f"run {point.run}, n={point.n}") for point in one.points],
            "hovertemplate": "%{hovertext}: %{y}<extra></extra>",
            "showlegend": False,
        }
    ]
    data += [_level(one, first, last, factor, colour) for first, last in one.levels]
    estimated = "estimated " if one.kind and one.kind.startswith("estimated") else ""
    return Figure(
        id=name,
        title=f"{one.case}, {one.metric}",
        finding=_finding(one),
        reading=_READING,
        data=data,
        layout=layout(
            300,
            xaxis={"type": "date"},
            yaxis={"title": {"text": f"{estimated}{unit}{one.unit}"}, "automargin": True},
            shapes=[_across(change) for change in one.changes],
        ),
        table=_table(one),
        note=f"{counted(one.without, 'run')} {'has' if one.without == 1 else 'have'} no value." if one.without else "",
    )


def _axes(case: str) -> tuple[str, str, str, str, str]:
    """Workload, size, phase, framework and mode of a case's id."""
    first, _, rest = case.partition(":")
    size, phase, framework, mode = (*rest.split("/"), "", "", "", "")[:4]
    return first, size, phase, framework, mode


def _over(value: float | None, factor: float) -> float | None:
    return None if value is None else value / factor


def _time(point: Point) -> str:
    return f"{point.started_at.isoformat()}Z"


def _level(one: Series, first: int, last: int, factor: float, colour: str) -> dict[str, Any]:
    points = one.points[first:last]
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


def _across(change: Change) -> dict[str, Any]:
    at = _time(change.point)
    line = {"color": NEUTRAL, "dash": "dash", "width": 1.5}
    return {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def _finding(one: Series) -> str:
    runs = f"{counted(len(one.points), 'run')} on {one.hostname}"
    if not one.changes:
        return f"{runs}: no step found."
    return f"{runs}; " + "; ".join(_words(one, change) for change in one.changes) + "."


def _words(one: Series, change: Change) -> str:
    step = change.step
    better = "" if one.better is None else ", better" if (step.ratio > 1) == (one.better == "higher") else ", worse"
    new = "".join(f", {name} {before} to {after}" for name, (before, after) in change.new.items())
    return (
        f"{step.ratio - 1:+.1%} [{step.low - 1:+.1%}, {step.high - 1:+.1%}]{better} "
        f"from {change.point.started_at:%Y-%m-%d} (run {change.point.run}{new})"
    )


def _table(one: Series) -> Grid:
    starts = {change.step.index: change.step for change in one.changes}
    rows = [
        [
            point.run,
            f"{point.started_at:%Y-%m-%d %H:%M}",
            number(point.value),
            number(point.low),
            number(point.high),
            point.n,
            f"{starts[i].ratio - 1:+.1%}" if i in starts else "",
        ]
        for i, point in enumerate(one.points)
    ]
    return grid(("run", "started (UTC)", f"value, {one.unit}", "low", "high", "trials", "step"), rows[-ROWS:])
