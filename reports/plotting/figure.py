"""The record of a chart: plain lists and dicts in Plotly's own terms, and the text and table beside it.

Figures are built without Plotly's classes, which are slow and turn lists into binary arrays that people, diffs and
tests cannot read; a test passes every figure through `plotly.graph_objects.Figure`, which checks each name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joulemark.reports.data_table import DataTable

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure

DIGITS = 6
"""Significant digits of a number in a figure: far below a pixel. Tables carry all digits."""


@dataclass(frozen=True)
class Figure:
    """One chart with all the text that stands beside it."""

    id: str
    title: str
    summary: str
    """One sentence: what the chart shows. Also its name for screen readers."""
    how_to_read: str
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    table: DataTable
    footnote: str = ""
    """What is missing or limited, and why; empty for nothing."""


MAX_LISTED = 4
"""Things that a footnote names one by one; the data table and the page's other tables have them all."""


def listed(title: str, things: Sequence[str]) -> str:
    """Return a footnote such as "Not measured: a; b.", cut after MAX_LISTED things; empty for none."""
    if not things:
        return ""
    more = f"; and {len(things) - MAX_LISTED} more" if len(things) > MAX_LISTED else ""
    return f"{title}: {'; '.join(things[:MAX_LISTED])}{more}."


def number(value: float | None, digits: int = DIGITS) -> float | None:
    """Return `value` rounded to `digits` significant digits; None for values that are not finite."""
    if value is None or not math.isfinite(value):
        return None
    if value == 0:
        return 0.0
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def numbers(values: Iterable[float | None]) -> list[float | None]:
    """Return a list of rounded numbers."""
    return [number(value) for value in values]


def error_bars(triples: Iterable[tuple[float | None, float | None, float | None]]) -> dict[str, Any]:
    """Return Plotly error bars from (value, low, high) of each point; None where an end is unknown."""
    lengths = [
        None if value is None or low is None or high is None else (value - low, high - value)
        for value, low, high in triples
    ]
    return {
        "array": numbers(None if ends is None else ends[1] for ends in lengths),
        "arrayminus": numbers(None if ends is None else ends[0] for ends in lengths),
    }


def case_hover(keys: Iterable[str], template: str) -> dict[str, Any]:
    """Return the hover text of points: the name of each case, which the page fills in by key, and `template`.

    Full names would be a fifth of a large page.
    """
    return {"meta": {"cases": list(keys)}, "hovertemplate": "%{hovertext}<br>" + template + "<extra></extra>"}


def layout(height: int, **settings: Any) -> dict[str, Any]:
    """Return the layout of a figure; colours and other common settings come from the page's template."""
    return {"height": height, "margin": {"l": 8, "r": 16, "t": 8, "b": 8}, **settings}


def plotly_figure(figure: Figure, template: dict[str, Any] | None = None) -> PlotlyFigure:
    """Return `figure` as one of Plotly's own, for its image export.

    Raises ValueError if Plotly does not know a name in it.
    """
    from plotly.graph_objects import Figure as PlotlyFigure

    return PlotlyFigure({"data": figure.data, "layout": {**figure.layout, "template": template}})
