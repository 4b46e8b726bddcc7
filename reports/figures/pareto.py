"""Speed versus energy: which cases no other beats in both, and the power of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from joulemark.reports.data_table import data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import NEUTRAL, Marker
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.axes import log_axis
from joulemark.reports.plotting.equal_power_lines import Ranges, equal_power_lines, plot_position
from joulemark.reports.plotting.figure import Figure, case_hover, error_bars, layout, numbers
from joulemark.reports.plotting.label_placement import Box, LabelPlacer, beside
from joulemark.suite.stats.sweep.selection import pareto_front as front_by_time

_HOW_TO_READ = (
    "Right is faster, down is less energy: the best corner is at the lower right. Joined marks are the Pareto front: "
    "no other case of this task is both faster and more efficient. The straight lines are lines of equal power, since "
    "items per second x joules per item = watts: a case that moves along a line is faster at the same power, and saves "
    "energy in proportion; one that moves up to another line pays for its speed. Both axes are logarithmic. A grey "
    "ring marks a GPU."
)
_MAX_LABELLED = 4
"""Up to so many marks are all labelled; of more, only those on the front."""


def figures(report: Report) -> list[Figure]:
    """Return a figure for each task with several cases, over all devices, precisions, batch sizes and frameworks."""
    tasks: dict[Group, list[CaseView]] = defaultdict(list)
    for view in report.shown:
        if report.file(view).settings.over:
            continue  # a figure of their own tells the settings of a sweep apart
        if view.quantity("throughput").value and view.quantity("energy_per_item_j").value:
            tasks[view.task].append(view)
    compared = [views for views in tasks.values() if len(views) > 1]
    return [_figure(f"pareto-{i}", views, only_task=len(compared) == 1) for i, views in enumerate(compared)]


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the points (throughput, energy) that no other beats in both, by falling throughput."""
    return front_by_time([(-throughput, energy_j) for throughput, energy_j in points])


def _figure(id: str, views: Sequence[CaseView], only_task: bool) -> Figure:
    points = [_point(view) for view in views]
    front = pareto_front(points)
    item = views[0].case.item
    x_axis = _axis(f"{item}s per second", views, "throughput")
    y_axis = _axis(f"joules per {item}", views, "energy_per_item_j")
    y_axis["title"]["standoff"] = 4
    ranges = x_axis["range"], y_axis["range"]
    names = _names(views)
    placer = LabelPlacer([plot_position(x, y, ranges) for x, y in points], [_span(view, ranges) for view in views])
    labelled = {key: name for i, (key, name) in enumerate(names.items()) if len(views) <= _MAX_LABELLED or i in front}
    labels = _labels(views, labelled, ranges, placer)
    front_line = {
        "type": "scatter",
        "mode": "lines",
        "name": "Pareto front",
        "x": numbers(points[i][0] for i in front),
        "y": numbers(points[i][1] for i in front),
        "line": {"color": NEUTRAL, "width": 2},
        "hoverinfo": "skip",
    }
    return Figure(
        id=id,
        title=views[0].title,
        # The only figure of a section has no heading of its own.
        summary=(f"{views[0].title}: " if only_task else "") + _summary(list(names.values()), front),
        how_to_read=_HOW_TO_READ,
        data=[*equal_power_lines(ranges, placer), front_line, *_mark_traces(views, labels)],
        layout=layout(380, xaxis=x_axis, yaxis=y_axis, showlegend=False),
        table=data_table(
            ("case", "items per second", "joules per item", "watts", "on the front"),
            [
                [view.full_name, x, y, view.quantity("power_w").value, "yes" if i in front else "no"]
                for i, (view, (x, y)) in enumerate(zip(views, points, strict=True))
            ],
        ),
    )


def _point(view: CaseView) -> tuple[float, float]:
    return view.quantity("throughput").value or 0.0, view.quantity("energy_per_item_j").value or 0.0


def _axis(title: str, views: Sequence[CaseView], quantity: str) -> dict[str, Any]:
    ends = [end for view in views for end in _value_and_ends(view, quantity)]
    return log_axis(title, [view.quantity(quantity).value for view in views], ends)


def _value_and_ends(view: CaseView, name: str) -> tuple[float | None, float | None, float | None]:
    quantity = view.quantity(name)
    return quantity.value, quantity.low, quantity.high


def _names(views: Sequence[CaseView]) -> dict[str, str]:
    """Return by key the names that tell the cases of one chart apart, without what all of them share."""
    names = {view.key: [view.name, *filter(None, view.detail.split(" · "))] for view in views}
    shared = set.intersection(*(set(of_view) for of_view in names.values()))
    return {
        key: " · ".join([name, *(label for label in details if label not in shared)])
        for key, (name, *details) in names.items()
    }


def _summary(names: Sequence[str], front: Sequence[int]) -> str:
    return f"{len(front)} of {len(names)} on the Pareto front: {'; '.join(names[i] for i in front)}."


def _span(view: CaseView, ranges: Ranges) -> Box:
    """Return the extent of its error bars in the plot."""
    x, y = _value_and_ends(view, "throughput"), _value_and_ends(view, "energy_per_item_j")
    (left, bottom), (right, top) = ([values[i] or values[0] or 1.0 for values in (x, y)] for i in (1, 2))
    return (*plot_position(left, bottom, ranges), *plot_position(right, top, ranges))


Label = tuple[str, str]
"""The text beside a mark, empty for none, and its position."""


def _labels(
    views: Sequence[CaseView], labelled: Mapping[str, str], ranges: Ranges, placer: LabelPlacer
) -> dict[str, Label]:
    """Return the label of each case by key; `labelled` has the names of those that get one."""
    points = {view.key: plot_position(*_point(view), ranges) for view in views}
    wanted = {key: (beside(points[key]), for_plotly(name, 40)) for key, name in labelled.items()}
    chosen = zip(wanted.items(), placer.place(list(wanted.values())), strict=True)
    return {view.key: ("", "top center") for view in views} | {
        key: (name, choices[i][1]) for (key, (choices, name)), i in chosen
    }


def _mark_traces(views: Sequence[CaseView], labels: Mapping[str, Label]) -> list[dict[str, Any]]:
    """Return one trace for each kind of mark: framework, mode, estimated or not, GPU or not."""
    by_kind: dict[tuple[Marker, bool, bool], list[CaseView]] = defaultdict(list)
    for view in views:
        by_kind[view.marker, view.estimated, view.case.device != "cpu"].append(view)
    return [_trace(of_kind, *kind, [labels[view.key] for view in of_kind]) for kind, of_kind in by_kind.items()]


def _trace(
    views: Sequence[CaseView], marker: Marker, estimated: bool, gpu: bool, labels: Sequence[Label]
) -> dict[str, Any]:
    points = [_point(view) for view in views]
    trace = {
        "type": "scatter",
        "mode": "markers+text",
        "name": for_plotly(marker.name),
        "x": numbers(x for x, _ in points),
        "y": numbers(y for _, y in points),
        "error_x": error_bars(_value_and_ends(view, "throughput") for view in views),
        "error_y": error_bars(_value_and_ends(view, "energy_per_item_j") for view in views),
        "text": [text for text, _ in labels],
        "textposition": [position for _, position in labels],
        "cliponaxis": False,
        "marker": {
            "symbol": marker.shape + ("-open" if estimated else ""),
            "size": 12,
            "color": marker.colour,
            "line": {"width": 2 if gpu or estimated else 0, **({"color": NEUTRAL} if gpu else {})},
        },
    }
    return trace | case_hover([view.key for view in views], "%{x:.4s}/s, %{y:.4s}J")
