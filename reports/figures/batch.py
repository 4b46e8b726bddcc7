"""Throughput and energy per item against batch size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from joulemark.reports.data_table import data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.axes import log_axis
from joulemark.reports.plotting.figure import Figure, layout, numbers

_HOW_TO_READ = (
    "Left: items per second; right: joules per item; both against batch size, all axes logarithmic. Where the left "
    "curve flattens, the device is fully used; a larger batch then only costs memory and latency."
)


def figures(report: Report) -> list[Figure]:
    """Return one figure for each task and device on which some case ran at two or more batch sizes."""
    charts: dict[Group, dict[Group, list[CaseView]]] = defaultdict(lambda: defaultdict(list))
    for view in report.shown:
        if view.quantity("throughput").value is not None and view.case.response is None:  # they have a section
            chart = (view.run, *view.task, view.case.device, view.case.precision, view.row.settings)
            charts[chart][view.case.framework, view.case.mode].append(view)
    drawn: list[Figure] = []
    for lines in charts.values():
        curves = [sorted(views, key=lambda view: view.case.batch_size) for views in lines.values() if len(views) > 1]
        if curves:
            drawn.append(_figure(f"batch-{len(drawn)}", curves))
    return drawn


def _figure(id: str, curves: Sequence[Sequence[CaseView]]) -> Figure:
    views = [view for curve in curves for view in curve]
    sizes = sorted({view.case.batch_size for view in views})
    x_axis = {
        **log_axis("batch size", [float(size) for size in sizes]),
        "tickvals": sizes,
        "ticktext": [str(size) for size in sizes],
        "zeroline": False,
    }
    first = views[0]
    title = ", ".join(label for label in (first.title, first.case.device, first.case.precision) if label)
    fastest = max(views, key=lambda view: view.quantity("throughput").value or 0.0)
    rates = [view.quantity("throughput").value for view in views]
    energies = [view.quantity("energy_per_item_j").value for view in views]
    rows = zip(views, rates, energies, strict=True)
    return Figure(
        id=id,
        title=title,
        summary=f"{title}: fastest at batch {fastest.case.batch_size} with {fastest.name}.",
        how_to_read=_HOW_TO_READ,
        data=[
            *[_curve(curve, "throughput", "x", "y", True) for curve in curves],
            *[_curve(curve, "energy_per_item_j", "x2", "y2", False) for curve in curves],
        ],
        layout=layout(
            360,
            xaxis={**x_axis, "domain": [0, 0.44]},
            xaxis2={**x_axis, "domain": [0.56, 1], "anchor": "y2"},
            yaxis=log_axis("items per second", rates),
            yaxis2={**log_axis("joules per item", energies), "anchor": "x2"},
        ),
        table=data_table(
            ("case", "batch size", "items per second", "joules per item"),
            [[view.name, view.case.batch_size, rate, energy_j] for view, rate, energy_j in rows],
        ),
        footnote="" if any(energies) else "Energy was not measured.",
    )


def _curve(curve: Sequence[CaseView], quantity: str, x: str, y: str, speed: bool) -> dict[str, Any]:
    marker = curve[0].marker
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": for_plotly(marker.name),
        "x": [view.case.batch_size for view in curve],
        "y": numbers(view.quantity(quantity).value for view in curve),
        "xaxis": x,
        "yaxis": y,
        "line": {"color": marker.colour, "dash": marker.dash, "width": 2},
        "marker": {
            "symbol": [marker.shape + ("-open" if view.estimated and not speed else "") for view in curve],
            "size": 9,
        },
        "legendgroup": for_plotly(marker.name),
        "showlegend": speed,
        "hovertemplate": "batch %{x}: %{y:.4s}",
    }
