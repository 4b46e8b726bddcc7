"""Speed against energy: which cases nothing else beats in both, and what power each takes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, intervals, layout, log_axis, named, numbers
from joulemark.reports.figures.labels import Box, LabelPlacer, beside
from joulemark.reports.figures.watts import Ranges, equal_power, within
from joulemark.reports.marks import NEUTRAL, Mark
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.grid import grid
from joulemark.reports.model.report import Report

_HOW = (
    "Right is faster, down is less energy: the best corner is at the lower right. Joined marks are the Pareto front: "
    "no other case of this work is both faster and thriftier. The straight lines are of equal power, since items per "
    "second x joules per item = watts: a case that moves along one is faster at the same power, and saves energy by "
    "exactly that; one that climbs to another pays for its speed. Both axes are logarithmic. A grey ring is a GPU. "
)

_NAMED = 4
"""Up to so many marks all bear their names; above, only those on the front do."""


def pareto_figures(report: Report) -> list[Figure]:
    """One figure a work (workload, phase, size), over all devices, precisions, batch sizes and frameworks."""
    works: dict[Group, list[CaseView]] = defaultdict(list)
    for view in report.shown:
        if view.quantity("throughput").value and view.quantity("energy_per_item_j").value:
            works[view.work].append(view)
    alone = len(works) == 1
    return [_figure(f"pareto-{i}", views, alone) for i, views in enumerate(works.values())]


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points (throughput, energy) that no other beats in both, by falling throughput."""
    best, found = math.inf, []
    for i in sorted(range(len(points)), key=lambda i: (-points[i][0], points[i][1])):
        if points[i][1] < best:
            best = points[i][1]
            found.append(i)
    return found


def _figure(id: str, views: Sequence[CaseView], alone: bool) -> Figure:
    points = [_point(view) for view in views]
    on_front = front(points)
    item = views[0].case.item
    axes = _axis(f"{item}s per second", views, "throughput"), _axis(f"joules per {item}", views, "energy_per_item_j")
    axes[1]["title"]["standoff"] = 4
    ranges = axes[0]["range"], axes[1]["range"]
    names = _names(views)
    room = LabelPlacer([within(x, y, ranges) for x, y in points], [_span(view, ranges) for view in views])
    bearing = {key: name for i, (key, name) in enumerate(names.items()) if len(views) <= _NAMED or i in on_front}
    labels = _labels(views, bearing, ranges, room)
    return Figure(
        id=id,
        title=views[0].title,
        # A work that is alone has no heading of its own.
        finding=(f"{views[0].title}: " if alone else "") + _finding(names, on_front),
        reading=_HOW,
        data=[
            *equal_power(ranges, room),
            {
                "type": "scatter",
                "mode": "lines",
                "name": "Pareto front",
                "x": numbers(points[i][0] for i in on_front),
                "y": numbers(points[i][1] for i in on_front),
                "line": {"color": NEUTRAL, "width": 2},
                "hoverinfo": "skip",
            },
            *_marks(views, labels),
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


def _names(views: Sequence[CaseView]) -> dict[str, str]:
    """Names that tell the cases of one chart apart, by key: without what all of them share."""
    words = {view.key: [view.name, *filter(None, view.detail.split(" · "))] for view in views}
    shared = set.intersection(*(set(of) for of in words.values())) if len(views) > 1 else set()
    return {
        key: " · ".join([name, *(word for word in rest if word not in shared)]) for key, (name, *rest) in words.items()
    }


def _finding(names: Mapping[str, str], on_front: Sequence[int]) -> str:
    if len(names) == 1:
        return f"Nothing beside it to weigh it against: {next(iter(names.values()))}."
    shown = list(names.values())
    return f"{len(on_front)} of {len(names)} on the Pareto front: {'; '.join(shown[i] for i in on_front)}."


def _span(view: CaseView, ranges: Ranges) -> Box:
    """How far its error bars reach in the plot."""
    ends = _ends(view, "throughput"), _ends(view, "energy_per_item_j")
    (left, bottom), (right, top) = ([of[i] or of[0] or 1.0 for of in ends] for i in (1, 2))
    return (*within(left, bottom, ranges), *within(right, top, ranges))


Label = tuple[str, str]
"""A mark's name, empty where it bears none, and its place beside the mark."""


def _labels(views: Sequence[CaseView], names: Mapping[str, str], ranges: Ranges, room: LabelPlacer) -> dict[str, Label]:
    """By case; `names` has those that are to bear one."""
    points = {view.key: within(*_point(view), ranges) for view in views}
    wanted = {key: (beside(points[key]), for_plotly(name, 40)) for key, name in names.items()}
    found = zip(wanted.items(), room.place(list(wanted.values())), strict=True)
    return {view.key: ("", "top center") for view in views} | {
        key: (name, choices[i][1]) for (key, (choices, name)), i in found
    }


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
        "name": for_plotly(mark.name),
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
