"""Throughput and energy per item against batch size, where a run has several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, layout, log_axis, numbers
from joulemark.reports.model.cases import CaseView
from joulemark.reports.model.grid import grid
from joulemark.reports.model.report import Report

_HOW = (
    "Left: items per second; right: joules per item; both against batch size, all axes logarithmic. Where the left "
    "curve flattens, the device is full; a larger batch then only costs memory and latency."
)
Place = tuple[str, ...]


def batch_figures(report: Report) -> list[Figure]:
    """One figure a work and device with at least two batch sizes of one case."""
    places: dict[Place, dict[Place, list[CaseView]]] = defaultdict(lambda: defaultdict(list))
    for view in report.shown:
        if view.quantity("throughput").value is not None:
            place = (view.run, *view.work, view.case.device, view.case.precision, view.row.settings)
            places[place][view.case.framework, view.case.mode].append(view)
    found: list[Figure] = []
    for lines in places.values():
        curves = [sorted(views, key=lambda v: v.case.batch_size) for views in lines.values() if len(views) > 1]
        if curves:
            found.append(_figure(f"batch-{len(found)}", curves))
    return found


def _figure(id: str, curves: Sequence[Sequence[CaseView]]) -> Figure:
    views = [view for curve in curves for view in curve]
    batches = log_axis("batch size", [float(view.case.batch_size) for view in views])
    ticks = sorted({view.case.batch_size for view in views})
    batches = {**batches, "tickvals": ticks, "ticktext": [str(tick) for tick in ticks], "zeroline": False}
    first = views[0]
    where = ", ".join(part for part in (first.title, first.case.device, first.case.precision) if part)
    fastest = max(views, key=lambda view: view.quantity("throughput").value or 0.0)
    energies = [view.quantity("energy_per_item_j").value for view in views]
    rates = [view.quantity("throughput").value for view in views]
    return Figure(
        id=id,
        title=where,
        finding=f"{where}: fastest at batch {fastest.case.batch_size} with {fastest.name}.",
        reading=_HOW,
        data=[
            *[_curve(curve, "throughput", "x", "y", True) for curve in curves],
            *[_curve(curve, "energy_per_item_j", "x2", "y2", False) for curve in curves],
        ],
        layout=layout(
            360,
            xaxis={**batches, "domain": [0, 0.44]},
            xaxis2={**batches, "domain": [0.56, 1], "anchor": "y2"},
            yaxis=log_axis("items per second", rates),
            yaxis2={**log_axis("joules per item", energies), "anchor": "x2"},
        ),
        table=grid(
            ("case", "batch size", "items per second", "joules per item"),
            [
                [v.name, v.case.batch_size, v.quantity("throughput").value, v.quantity("energy_per_item_j").value]
                for v in views
            ],
        ),
        note="" if any(energies) else "Energy was not measured.",
    )


def _curve(curve: Sequence[CaseView], name: str, x: str, y: str, legend: bool) -> dict[str, Any]:
    mark = curve[0].mark
    values = [view.quantity(name).value for view in curve]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": for_plotly(mark.name),
        "x": [view.case.batch_size for view in curve],
        "y": numbers(values),
        "xaxis": x,
        "yaxis": y,
        "line": {"color": mark.colour, "dash": mark.dash, "width": 2},
        "marker": {
            "symbol": [mark.shape + ("-open" if view.estimated and not legend else "") for view in curve],
            "size": 9,
        },
        "legendgroup": for_plotly(mark.name),
        "showlegend": legend,
        "hovertemplate": "batch %{x}: %{y:.4s}",
    }
