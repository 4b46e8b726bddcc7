"""One column of the table as a dot with its interval a case: throughput, energy, memory."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, intervals, layout, listed, log_axis, named, numbers
from joulemark.reports.figures.rows import group_label, places, row_axis, row_height
from joulemark.reports.marks import NEUTRAL, Mark
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.grid import grid
from joulemark.reports.model.report import Report
from joulemark.suite.carbon.accounting import Factors, combined
from joulemark.suite.records import Quantity
from joulemark.suite.units import counted, significant

HOW = (
    "Each row is one workload on one device; each mark one framework and mode. The line through a mark is the 95 % "
    "interval between trials (none at n = 1). The axis is logarithmic: equal distances are equal ratios. "
)
MARKS = "Filled marks are measured; open ones are estimated by a model of load and nominal power. "
_APART = 0.3
"""Distance of two marks in a row, in rows."""


def throughput_figure(report: Report) -> Figure | None:
    """Items a second by case."""
    return dots(report, "throughput", "Throughput", "items per second", HOW + "Further right is faster.")


def energy_figure(report: Report) -> Figure | None:
    """Gross joules an item by case, with the range that the sensors may be off by."""
    how = (
        HOW + MARKS + "A grey bar is the range of the sensor's own error, or of the estimate's; it is no part of the "
        "interval, and common to all cases on one device. Further left is less energy."
    )
    found = dots(report, "energy_per_item_j", "Energy per item", "joules per item", how)
    kinds = {view.estimated for view in report.shown}
    name = "range of " + ("sensor or estimate" if len(kinds) > 1 else "the estimate" if True in kinds else "the sensor")
    return with_ranges(found, report, "energy_per_item_j", name, lambda quantity: [quantity.ranges.sensor])


def memory_figure(report: Report) -> Figure | None:
    """Peak memory by case."""
    how = (
        "The largest peak of any trial: on a GPU of the framework's allocator in the window, on the CPU of the whole "
        "process, the framework's own code included. The axis is logarithmic. Further left is less memory."
    )
    return dots(report, "peak_memory_bytes", "Peak memory", "bytes", how, id="memory")


def with_ranges(
    found: Figure | None,
    report: Report,
    quantity: str,
    name: str,
    choose: Callable[[Quantity], list[Factors | None]],
) -> Figure | None:
    """`found` with a thick bar behind each mark from the lowest to the highest that the chosen ranges allow."""
    if found is None:
        return None
    at = {key: y for line in found.data for key, y in zip(line["meta"]["cases"], line["y"], strict=True)}
    x: list[float | None] = []
    keys = []
    for view in report.shown:
        value = view.quantity(quantity).value
        low, high = combined(*choose(view.quantity(quantity)))
        if value is not None and high > low:
            x += [value * low, value * high, None]
            keys.append(view.key)
    if keys:
        found.data.insert(0, _bar(name, x, keys, [at[key] for key in keys]))
        values = [value for line in found.data[1:] for value in line["x"]]
        found.layout["xaxis"] = log_axis(
            found.layout["xaxis"]["title"]["text"], values, [*x, *_bounds(report, quantity)]
        )
    return found


def _bounds(report: Report, quantity: str) -> list[float | None]:
    """Ends of all intervals of a quantity."""
    return [end for view in report.shown for end in (view.quantity(quantity).low, view.quantity(quantity).high)]


def _bar(name: str, x: list[float | None], keys: list[str], at: list[float]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": numbers(x),
        "y": [y for place in at for y in (place, place, None)],
        "line": {"width": 12, "color": NEUTRAL},
        "opacity": 0.3,
        "hoverinfo": "skip",
        "meta": {"range": True, "cases": keys},
    }


def dots(report: Report, name: str, title: str, axis: str, reading: str, id: str = "") -> Figure | None:
    """The figure of the column `name`; None where no case has a value in it."""
    views = report.shown
    shown = [view for view in views if view.row.cells[name].value is not None]
    if not shown:
        return None
    series: dict[tuple[Mark, bool], list[CaseView]] = defaultdict(list)
    for view in shown:
        series[view.mark, view.row.cells[name].kind == "model"].append(view)
    rows: dict[Group, list[CaseView]] = defaultdict(list)
    for view in shown:
        rows[view.group].append(view)
    middles, end = places([len(of) for of in rows.values()])
    y = {
        view.key: middle + (i - (len(of) - 1) / 2) * _APART
        for middle, of in zip(middles, rows.values(), strict=True)
        for i, view in enumerate(of)
    }
    data = [
        _series(of, mark, estimated, name, [y[view.key] for view in of]) for (mark, estimated), of in series.items()
    ]
    cells = [view.row.cells[name] for view in shown]
    missing = [f"{v.full}: {v.row.cells[name].reason}" for v in views if v.row.cells[name].value is None]
    return Figure(
        id=id or name.partition("_")[0],
        title=title,
        finding=_finding(list(rows.values()), name, title),
        reading=reading,
        data=data,
        layout=layout(
            row_height(math.ceil(end)),
            xaxis=log_axis(axis, [c.value for c in cells], [end for c in cells for end in (c.low, c.high)]),
            yaxis=row_axis([group_label(of[0]) for of in rows.values()], tickvals=numbers(middles), range=[end, 0]),
        ),
        table=grid(("case", axis, "low", "high", "n", "kind"), [[v.full, *_raw(v, name)] for v in views], column=name),
        note=listed("Not measured", missing),
    )


def _series(views: Sequence[CaseView], mark: Mark, estimated: bool, name: str, y: list[float]) -> dict[str, Any]:
    cells = [view.row.cells[name] for view in views]
    found = {
        "type": "scatter",
        "mode": "markers",
        "name": for_plotly(mark.name) + (" (estimated)" if estimated else ""),
        "x": numbers(cell.value for cell in cells),
        "y": numbers(y),
        "error_x": intervals((cell.value, cell.low, cell.high) for cell in cells),
        "marker": {
            "symbol": mark.shape + ("-open" if estimated else ""),
            "size": 11,
            "color": mark.colour,
            "line": {"width": 2 if estimated else 0},
        },
    }
    return found | named([view.key for view in views], "%{x:.4s}")


def _raw(view: CaseView, name: str) -> tuple[float | str | int | None, ...]:
    cell = view.row.cells[name]
    return cell.value, cell.low, cell.high, cell.n, cell.kind or "clock"


def _finding(rows: Sequence[Sequence[CaseView]], name: str, title: str) -> str:
    """How far apart the cases of one row are at most: those of two rows count unlike things."""
    cases = sum(map(len, rows))
    if cases == 1:
        return f"{title} of {rows[0][0].full}."
    spans: list[tuple[float, CaseView, CaseView]] = []
    for views in rows:
        # An estimate is not held against a measurement, nor a sum against one that lacks a part.
        for mark in {view.row.cells[name].mark for view in views}:
            ranked = sorted((v.row.cells[name].value or 0.0, v.key, v) for v in views if v.row.cells[name].mark == mark)
            (low, _, least), (high, _, most) = ranked[0], ranked[-1]
            if low > 0 and least is not most:
                spans.append((high / low, most, least))
    if not spans:
        return f"{title} of {counted(cases, 'case')}, no two of them alike enough to compare."
    ratio, most, least = max(spans, key=lambda span: span[0])
    where = ", ".join(filter(None, (most.title, most.detail)))
    return (
        f"{title} of {counted(cases, 'case')}. Farthest apart in one row: {where}, "
        f"{most.name} at {significant(ratio)} times {least.name}."
    )
