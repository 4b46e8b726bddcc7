"""Speed against energy: which cases nothing else beats in both, and what power each takes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from reports.figures.base import Figure, intervals, layout, log_axis, named, numbers
from reports.figures.labels import placed
from reports.inert import text
from reports.marks import NEUTRAL, Mark
from reports.model.cases import CaseView, Group
from reports.model.grid import grid
from reports.model.report import Report
from suite import units

_HOW = (
    "Right is faster, down is less energy: the best corner is at the lower right. Joined marks are the Pareto front: "
    "no other case of this work is both faster and thriftier. The straight lines are of equal power, since items per "
    "second x joules per item = watts: a case that moves along one is faster at the same power, and saves energy by "
    "exactly that; one that climbs to another pays for its speed. Both axes are logarithmic. A dark ring is a GPU. "
)

_NAMED = 4
"""Up to so many marks all bear their names; above, only those on the front do."""


def pareto_figures(report: Report) -> list[Figure]:
    """One figure a work (workload, phase, size), over all devices, precisions, batch sizes and frameworks."""
    works: dict[Group, list[CaseView]] = defaultdict(list)
    for view in report.shown:
        if view.quantity("throughput").value and view.quantity("energy_per_item_j").value:
            works[view.work].append(view)
    return [_figure(f"pareto-{i}", views) for i, views in enumerate(works.values())]


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points (throughput, energy) that no other beats in both, by falling throughput."""
    best, found = math.inf, []
    for i in sorted(range(len(points)), key=lambda i: (-points[i][0], points[i][1])):
        if points[i][1] < best:
            best = points[i][1]
            found.append(i)
    return found


def _figure(id: str, views: Sequence[CaseView]) -> Figure:
    points = [_point(view) for view in views]
    on_front = front(points)
    item = views[0].case.item
    axes = _axis(f"{item}s per second", views, "throughput"), _axis(f"joules per {item}", views, "energy_per_item_j")
    axes[1]["title"]["standoff"] = 4
    lines = _iso_power(axes[0]["range"], axes[1]["range"])
    names = [f"{views[i].name}" + (f" ({views[i].detail})" if views[i].detail else "") for i in on_front]
    return Figure(
        id=id,
        title=views[0].title,
        finding=f"{views[0].title}: {len(on_front)} of {len(views)} on the Pareto front: {'; '.join(names)}.",
        reading=_HOW,
        data=[
            lines,
            {
                "type": "scatter",
                "mode": "lines",
                "name": "Pareto front",
                "x": numbers(points[i][0] for i in on_front),
                "y": numbers(points[i][1] for i in on_front),
                "line": {"color": NEUTRAL, "width": 2},
                "hoverinfo": "skip",
            },
            *_marks(views, _labels(views, (axes[0]["range"], axes[1]["range"]), on_front)),
        ],
        layout=layout(380, xaxis=axes[0], yaxis=axes[1], showlegend=False),
        table=grid(
            ("case", "items per second", "joules per item", "watts", "on the front"),
            [
                [v.full, px, py, v.quantity("power_w").value, "yes" if i in on_front else "no"]
                for i, (v, (px, py)) in enumerate(zip(views, points, strict=True))
            ],
        ),
    )


def _point(view: CaseView) -> tuple[float, float]:
    return view.quantity("throughput").value or 0.0, view.quantity("energy_per_item_j").value or 0.0


def _axis(title: str, views: Sequence[CaseView], name: str) -> dict[str, Any]:
    return log_axis(
        title, [view.quantity(name).value for view in views], [end for view in views for end in _ends(view, name)]
    )


def _ends(view: CaseView, name: str) -> tuple[float | None, float | None, float | None]:
    quantity = view.quantity(name)
    return quantity.value, quantity.low, quantity.high


Label = tuple[str, str]
"""A mark's name, empty where it bears none, and its place beside the mark."""


def _labels(views: Sequence[CaseView], axes: Sequence[Sequence[float]], on_front: Sequence[int]) -> dict[str, Label]:
    """By case; `axes` are the ranges of the axes' logarithms."""
    few = len(views) <= _NAMED
    names = [_label(view) if few or i in on_front else "" for i, view in enumerate(views)]
    points = [_point(view) for view in views]
    positions = placed([(_along(x, axes[0]), _along(y, axes[1])) for x, y in points], names)
    return {view.key: (name, place) for view, name, place in zip(views, names, positions, strict=True)}


def _along(value: float, span: Sequence[float]) -> float:
    return (math.log10(value) - span[0]) / (span[1] - span[0])


def _marks(views: Sequence[CaseView], labels: Mapping[str, Label]) -> list[dict[str, Any]]:
    """One trace for each look of a mark: framework, mode, estimated or not, GPU or not."""
    looks: dict[tuple[Mark, bool, bool], list[CaseView]] = defaultdict(list)
    for view in views:
        looks[view.mark, view.estimated, view.case.device != "cpu"].append(view)
    return [_trace(of, *look, [labels[v.key] for v in of]) for look, of in looks.items()]


def _trace(
    views: Sequence[CaseView], mark: Mark, estimated: bool, gpu: bool, labels: Sequence[Label]
) -> dict[str, Any]:
    points = [_point(view) for view in views]
    found = {
        "type": "scatter",
        "mode": "markers+text",
        "name": text(mark.name),
        "x": numbers(x for x, _ in points),
        "y": numbers(y for _, y in points),
        "error_x": intervals(_ends(view, "throughput") for view in views),
        "error_y": intervals(_ends(view, "energy_per_item_j") for view in views),
        "text": [name for name, _ in labels],
        "textposition": [place for _, place in labels],
        "cliponaxis": False,
        "marker": {
            "symbol": mark.shape + ("-open" if estimated else ""),
            "size": 12,
            "color": mark.colour,
            "line": {"width": 2 if gpu or estimated else 0, **({"color": NEUTRAL} if gpu else {})},
        },
    }
    return found | named([view.key for view in views], "%{x:.4s}/s, %{y:.4s}J")


def _label(view: CaseView) -> str:
    return text(" · ".join(part for part in (view.name, view.detail) if part), 40)


def _iso_power(x: Sequence[float], y: Sequence[float]) -> dict[str, Any]:
    """Lines of equal power across the ranges (of logarithms) `x` and `y`: at most six, at round watts."""
    low, high = x[0] + y[0], x[1] + y[1]
    steps = [math.log10(mantissa) + decade for decade in range(-9, 10) for mantissa in (1, 2, 5)]
    inside = [step for step in steps if low < step < high]
    across: list[float | None] = []
    up: list[float | None] = []
    names: list[str] = []
    sides: list[str] = []
    for log_w in inside[:: max(1, math.ceil(len(inside) / 6))]:
        start, end = max(x[0], log_w - y[1]), min(x[1], log_w - y[0])
        inner = start + 0.88 * (end - start)  # a name at the edge would be cut off
        across += [10**start, 10**inner, 10**end, None]
        up += [10 ** (log_w - place) for place in (start, inner, end)] + [None]
        names += ["", units.quantity(10**log_w, "W", 1), "", ""]
        # Below the line where the right edge is near: above it the name would run out of the plot.
        sides += ["bottom left" if (inner - x[0]) / (x[1] - x[0]) > 0.8 else "top right"] * 4
    return {
        "type": "scatter",
        "mode": "lines+text",
        "name": "equal power",
        "x": numbers(across),
        "y": numbers(up),
        "line": {"color": NEUTRAL, "width": 1, "dash": "dot"},
        "text": names,
        "textposition": sides,
        "textfont": {"size": 9, "color": NEUTRAL},
        "hoverinfo": "skip",
        "meta": {"iso": True},
    }
