"""Dot plots: one column of the results table, as a dot with its interval for each case."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from joulemark.reports.data_table import TableValue, data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import NEUTRAL, Marker
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.axes import log_axis
from joulemark.reports.plotting.case_rows import group_label, row_axis, row_height, row_middles
from joulemark.reports.plotting.figure import Figure, case_hover, error_bars, layout, listed, numbers
from joulemark.suite.carbon.accounting import Factors, combined
from joulemark.suite.records import Quantity
from joulemark.suite.units import counted, significant

ROWS_TEXT = (
    "Each row is one workload on one device; each mark is one framework and mode. The line through a mark is the 95 % "
    "confidence interval over trials (none for a single trial). The axis is logarithmic: equal distances are equal "
    "ratios. "
)
MARKS_TEXT = "Filled marks are measured; open marks are estimated from load and nominal power. "
_MARK_DISTANCE = 0.3
"""Distance between two marks in a row, in rows."""


def dot_plot(report: Report, column: str, title: str, axis: str, how_to_read: str, id: str = "") -> Figure | None:
    """Return the figure of one column of the results table; None if no case has a value in it."""
    views = report.shown
    with_value = [view for view in views if view.row.cells[column].value is not None]
    if not with_value:
        return None
    series: dict[tuple[Marker, bool], list[CaseView]] = defaultdict(list)
    rows: dict[Group, list[CaseView]] = defaultdict(list)
    for view in with_value:
        series[view.marker, view.row.cells[column].kind == "model"].append(view)
        rows[view.group].append(view)
    middles, bottom = row_middles([len(in_row) for in_row in rows.values()])
    y = {
        view.key: middle + (i - (len(in_row) - 1) / 2) * _MARK_DISTANCE
        for middle, in_row in zip(middles, rows.values(), strict=True)
        for i, view in enumerate(in_row)
    }
    cells = [view.row.cells[column] for view in with_value]
    missing = [f"{v.full_name}: {v.row.cells[column].reason}" for v in views if v.row.cells[column].value is None]
    return Figure(
        id=id or column.partition("_")[0],
        title=title,
        summary=_summary(list(rows.values()), column, title),
        how_to_read=how_to_read,
        data=[
            _series(in_series, marker, estimated, column, [y[view.key] for view in in_series])
            for (marker, estimated), in_series in series.items()
        ],
        layout=layout(
            row_height(math.ceil(bottom)),
            xaxis=log_axis(axis, [c.value for c in cells], [end for c in cells for end in (c.low, c.high)]),
            yaxis=row_axis(
                [group_label(in_row[0]) for in_row in rows.values()], tickvals=numbers(middles), range=[bottom, 0]
            ),
        ),
        table=data_table(
            ("case", axis, "low", "high", "n", "kind"),
            [[view.full_name, *_table_values(view, column)] for view in views],
            column=column,
        ),
        footnote=listed("Not measured", missing),
    )


def with_ranges(
    figure: Figure | None,
    report: Report,
    quantity: str,
    name: str,
    ranges: Callable[[Quantity], list[Factors | None]],
) -> Figure | None:
    """Return `figure` with a thick bar behind each mark, over what the combined `ranges` of its quantity allow."""
    if figure is None:
        return None
    y_by_key = {key: y for trace in figure.data for key, y in zip(trace["meta"]["cases"], trace["y"], strict=True)}
    x: list[float | None] = []
    keys = []
    for view in report.shown:
        value = view.quantity(quantity).value
        low, high = combined(*ranges(view.quantity(quantity)))
        if value is not None and high > low:
            x += [value * low, value * high, None]
            keys.append(view.key)
    if keys:
        figure.data.insert(0, _range_bars(name, x, keys, [y_by_key[key] for key in keys]))
        values = [value for trace in figure.data[1:] for value in trace["x"]]
        figure.layout["xaxis"] = log_axis(
            figure.layout["xaxis"]["title"]["text"], values, [*x, *_interval_ends(report, quantity)]
        )
    return figure


def _interval_ends(report: Report, quantity: str) -> list[float | None]:
    return [end for view in report.shown for end in (view.quantity(quantity).low, view.quantity(quantity).high)]


def _range_bars(name: str, x: list[float | None], keys: list[str], rows: list[float]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": numbers(x),
        "y": [y for row in rows for y in (row, row, None)],
        "line": {"width": 12, "color": NEUTRAL},
        "opacity": 0.3,
        "hoverinfo": "skip",
        "meta": {"range": True, "cases": keys},
    }


def _series(views: Sequence[CaseView], marker: Marker, estimated: bool, column: str, y: list[float]) -> dict[str, Any]:
    cells = [view.row.cells[column] for view in views]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": for_plotly(marker.name) + (" (estimated)" if estimated else ""),
        "x": numbers(cell.value for cell in cells),
        "y": numbers(y),
        "error_x": error_bars((cell.value, cell.low, cell.high) for cell in cells),
        "marker": {
            "symbol": marker.shape + ("-open" if estimated else ""),
            "size": 11,
            "color": marker.colour,
            "line": {"width": 2 if estimated else 0},
        },
    }
    return trace | case_hover([view.key for view in views], "%{x:.4s}")


def _table_values(view: CaseView, column: str) -> tuple[TableValue, ...]:
    cell = view.row.cells[column]
    return cell.value, cell.low, cell.high, cell.n, cell.kind or "clock"


def _summary(rows: Sequence[Sequence[CaseView]], column: str, title: str) -> str:
    """Return the largest ratio within one row: cases of different rows count different items."""
    cases = sum(map(len, rows))
    if cases == 1:
        return f"{title} of {rows[0][0].full_name}."
    ratios: list[tuple[float, CaseView, CaseView]] = []
    for views in rows:
        # Estimates are not compared with measurements, nor complete sums with lower bounds.
        for mark in {view.row.cells[column].mark for view in views}:
            comparable = [view for view in views if view.row.cells[column].mark == mark]
            ranked = sorted((view.row.cells[column].value or 0.0, view.key, view) for view in comparable)
            (low, _, lowest), (high, _, highest) = ranked[0], ranked[-1]
            if low > 0 and lowest is not highest:
                ratios.append((high / low, highest, lowest))
    if not ratios:
        return f"{title} of {counted(cases, 'case')}, no two of which can be compared."
    ratio, highest, lowest = max(ratios, key=lambda entry: entry[0])
    row = ", ".join(filter(None, (highest.title, highest.detail)))
    return (
        f"{title} of {counted(cases, 'case')}. Largest difference within a row: {row}, "
        f"{highest.name} at {significant(ratio)} times {lowest.name}."
    )
