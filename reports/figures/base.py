"""What every figure is made of: plain lists and dicts in Plotly's own terms, and the words and table beside it.

Figures are built without Plotly's classes, which take time and turn lists into binary arrays that people, diffs and
tests cannot read; a test passes every one of them through `plotly.graph_objects.Figure`, which checks each name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from joulemark.reports.model.grid import Grid
from joulemark.suite import units

DIGITS = 6
"""Significant digits of a number in a figure: far below a pixel. Tables carry all digits."""


@dataclass(frozen=True)
class Figure:
    """One chart with all that must stand beside it."""

    id: str
    title: str
    finding: str
    """One sentence: what the chart shows. Also its name for screen readers."""
    reading: str
    """How to read it."""
    data: list[dict[str, Any]]
    layout: dict[str, Any]
    table: Grid
    note: str = ""
    """What is missing or limited, and why; empty where nothing is."""


NAMED = 4
"""Things that a note names one by one; the data table under the chart and the page's tables have them all."""


def listed(title: str, things: Sequence[str]) -> str:
    """A note such as "Not measured: a; b.", cut after a few things; empty for none."""
    if not things:
        return ""
    rest = f"; and {len(things) - NAMED} more" if len(things) > NAMED else ""
    return f"{title}: {'; '.join(things[:NAMED])}{rest}."


def number(value: float | None, digits: int = DIGITS) -> float | None:
    """`value` rounded to so many significant digits, as it stands in a figure."""
    if value is None or value == 0 or not math.isfinite(value):
        return None if value is None or not math.isfinite(value) else 0.0
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def numbers(values: Iterable[float | None]) -> list[float | None]:
    """A list of rounded numbers."""
    return [number(value) for value in values]


def intervals(triples: Iterable[tuple[float | None, float | None, float | None]]) -> dict[str, Any]:
    """Error bars from (value, low, high) of each point; none where an end is not known."""
    found = [None if v is None or a is None or b is None else (v - a, b - v) for v, a, b in triples]
    return {
        "array": numbers(None if ends is None else ends[1] for ends in found),
        "arrayminus": numbers(None if ends is None else ends[0] for ends in found),
    }


def named(keys: Iterable[str], template: str) -> dict[str, Any]:
    """What a pointer over a point shows: the name of its case, which the page puts in from the key, and `template`.

    A name a point would be a fifth of a large page.
    """
    return {"meta": {"cases": list(keys)}, "hovertemplate": "%{hovertext}<br>" + template + "<extra></extra>"}


def layout(height: int, **more: Any) -> dict[str, Any]:
    """The layout of a figure. Colours, and what else all share, come from the page's light or dark template."""
    return {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
        **more,
    }


def log_axis(
    title: str, values: Sequence[float | None], ends: Sequence[float | None] = (), least_decades: float = 0.6
) -> dict[str, Any]:
    """A logarithmic axis over `values` with room to both sides, at least `least_decades` long, and its ticks.

    `ends` of intervals widen it by a factor of ten at most: an interval over ten decades must not hide the values.
    """
    known = [math.log10(value) for value in values if value is not None and value > 0]
    axis: dict[str, Any] = {"type": "log", "title": {"text": title}, "automargin": True}
    if not known:
        return axis
    reach = [math.log10(end) for end in ends if end is not None and end > 0]
    low, high = (max(min(known) - 1, min(reach + known)), min(max(known) + 1, max(reach + known)))
    pad = max(0.06 * (high - low), (least_decades - (high - low)) / 2, 0.04)
    axis["range"] = numbers([low - pad, high + pad])
    axis["tickvals"], axis["ticktext"] = ticks(low - pad, high + pad)
    return axis


def ratio_axis(title: str, values: Sequence[float | None], ends: Sequence[float | None]) -> dict[str, Any]:
    """A logarithmic axis around 1, without prefixes: 0.9 and not 900m."""
    axis = log_axis(title, [1.0, *values], ends, 0.15)
    return {**axis, "ticktext": [f"{value:g}" for value in axis["tickvals"]]}


def ticks(low: float, high: float) -> tuple[list[float | None], list[str]]:
    """Ticks between the logarithms `low` and `high`: round values and their texts (assets/format.js has the same)."""
    span = high - low
    mantissas = _FINE if span < 0.5 else _MIDDLE if span < 1.1 else _COARSE if span < 3 else (1.0,)
    step = max(1, math.ceil(span / 8)) if span >= 3 else 1
    found = [
        mantissa * 10.0**decade
        for decade in range(math.floor(low), math.ceil(high) + 1)
        for mantissa in mantissas
        if low <= math.log10(mantissa) + decade <= high and decade % step == 0
    ]
    return numbers(found), [f"{value / factor:g}{name}" for value in found for factor, name in [units.prefix(value)]]


_FINE = (1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
_MIDDLE = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
_COARSE = (1.0, 2.0, 5.0)
