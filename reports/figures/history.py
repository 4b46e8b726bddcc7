"""Several runs: a forest plot against the first, and values over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, layout, numbers
from joulemark.reports.figures.ratios import forest
from joulemark.reports.model.grid import grid
from joulemark.reports.model.history import Series
from joulemark.reports.model.report import Report
from joulemark.suite.units import counted

_CHANGE = (
    "Each row is one case of a later run over the same case of the first. To the right of 1 the later run is faster "
    "(pink diamonds) or does more items per joule (green crosses). The line is the 95 % interval, widened for the "
    "number of comparisons; it holds the trials of both runs, and what a machine drifts from one run to the next. The "
    "axis is logarithmic."
)
_EARLIER = " Of several runs on one machine the latest is drawn; the data table has all."
_OVER_TIME = (
    "Each line is one case on one machine, as a ratio to its first run: above, speed; below, joules per item. What was "
    "measured, what a model estimated (open marks) and what lacks a part are lines of their own. Colour is the "
    "framework, dash the mode. A step that many lines share is the machine or its software."
)


def comparison_figure(report: Report) -> Figure | None:
    """Later runs over the first; None for one run, or where no case is in both."""
    found = report.comparison
    if found is None or not found.pairs:
        return None
    latest = [p for p in found.pairs if p.one.current]
    earlier = [p for p in found.pairs if not p.one.current]
    return forest(
        "comparison",
        f"Against run {found.baseline}",
        latest or earlier,
        lambda p: (f"{p.one.run} / {found.baseline}: {p.one.title}", f"{p.one.name} · {p.one.detail}"),
        ("the later run", f"run {found.baseline}"),
        _CHANGE + (_EARLIER if latest and earlier else ""),
        earlier if latest else (),
    )


def history_figure(report: Report) -> Figure | None:
    """Speed and energy over time; None with fewer than three runs of a case."""
    if not report.history:
        return None
    legend: set[str] = set()
    data: list[dict[str, Any]] = []
    for line in report.history:
        name = line.views[0].mark.name
        data.append(_line(line, _speeds(line), "y", "speed", name not in legend))
        data += [_energy(line, kind) for kind in dict.fromkeys(line.energy_kinds) if kind is not None]
        legend.add(name)
    runs = max(len(line.views) for line in report.history)
    return Figure(
        id="history",
        title="Over time",
        finding=f"{counted(len(report.history), 'case')} over up to {counted(runs, 'run')}; {_farthest(report)}.",
        reading=_OVER_TIME,
        data=data,
        layout=layout(
            460,
            xaxis={"type": "date", "anchor": "y2"},
            yaxis={"domain": [0.56, 1], "title": {"text": "speed against the first"}, "automargin": True},
            yaxis2={"domain": [0, 0.44], "title": {"text": "energy against the first"}, "automargin": True},
        ),
        table=grid(
            ("case", "run", "started", "items per second", "joules per item", "energy is"),
            [
                [v.full, v.run, at, v.quantity("throughput").value, v.quantity("energy_per_item_j").value, kind]
                for line in report.history
                for v, at, kind in zip(line.views, line.started_at, line.energy_kinds, strict=True)
            ],
        ),
    )


def _against_first(values: Sequence[float | None]) -> list[float | None]:
    first = next((value for value in values if value), None)
    return [None if value is None or first is None else value / first for value in values]


def _speeds(line: Series) -> list[float | None]:
    return _against_first([view.quantity("throughput").value for view in line.views])


def _energy(line: Series, kind: str) -> dict[str, Any]:
    """The runs whose energy is of this kind; a gap where it is of another."""
    values = [
        view.quantity("energy_per_item_j").value if own == kind else None
        for view, own in zip(line.views, line.energy_kinds, strict=True)
    ]
    return _line(line, _against_first(values), "y2", kind, False)


def _line(line: Series, ratios: Sequence[float | None], axis: str, what: str, legend: bool) -> dict[str, Any]:
    mark = line.views[0].mark
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": for_plotly(mark.name),
        "x": list(line.started_at),
        "y": numbers(ratios),
        "yaxis": axis,
        "line": {"color": mark.colour, "dash": mark.dash, "width": 1.5},
        "marker": {"symbol": mark.shape + ("-open" if what.startswith("estimated") else ""), "size": 7},
        "legendgroup": for_plotly(mark.name),
        "showlegend": legend,
        "hovertext": [for_plotly(f"{what}: run {view.run}, {view.full}", 200) for view in line.views],
        "hovertemplate": "%{hovertext}: %{y:.3f}<extra></extra>",
    }


def _farthest(report: Report) -> str:
    """Which case's speed moved most between its first and its last run."""
    moved = [(line, change) for line in report.history if (change := _speeds(line)[-1])]
    if not moved:
        return "no speed is known at both ends"
    line, change = max(moved, key=lambda pair: abs(pair[1] - 1))
    return f"from first to last, speed moved most in {line.views[0].full}: {change - 1:+.1%}"
