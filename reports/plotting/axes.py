"""Logarithmic axes with their ticks, and reference lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from joulemark.reports.markers import NEUTRAL
from joulemark.reports.plotting.figure import numbers
from joulemark.suite import units

_FINE = (1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0)
_MEDIUM = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
_COARSE = (1.0, 2.0, 5.0)


def log_axis(
    title: str, values: Sequence[float | None], ends: Sequence[float | None] = (), min_decades: float = 0.6
) -> dict[str, Any]:
    """Return a logarithmic axis over `values` with some padding, at least `min_decades` long, and its ticks.

    `ends` of intervals widen it by at most a factor of ten: an interval over ten decades must not hide the values.
    """
    logs = [math.log10(value) for value in values if value is not None and value > 0]
    axis: dict[str, Any] = {"type": "log", "title": {"text": title}, "automargin": True}
    if not logs:
        return axis
    log_ends = logs + [math.log10(end) for end in ends if end is not None and end > 0]
    low, high = max(min(logs) - 1, min(log_ends)), min(max(logs) + 1, max(log_ends))
    pad = max(0.06 * (high - low), (min_decades - (high - low)) / 2, 0.04)
    axis["range"] = numbers([low - pad, high + pad])
    axis["tickvals"], axis["ticktext"] = ticks(low - pad, high + pad)
    return axis


def ratio_axis(title: str, values: Sequence[float | None], ends: Sequence[float | None]) -> dict[str, Any]:
    """Return a logarithmic axis around 1, without prefixes: 0.9 and not 900m."""
    axis = log_axis(title, [1.0, *values], ends, 0.15)
    return {**axis, "ticktext": [f"{value:g}" for value in axis["tickvals"]]}


def ticks(low: float, high: float) -> tuple[list[float | None], list[str]]:
    """Return round tick values between the logarithms `low` and `high`, and their texts.

    assets/format.js does the same.
    """
    span = high - low
    mantissas = _FINE if span < 0.5 else _MEDIUM if span < 1.1 else _COARSE if span < 3 else (1.0,)
    step = max(1, math.ceil(span / 8)) if span >= 3 else 1
    values = [
        mantissa * 10.0**decade
        for decade in range(math.floor(low), math.ceil(high) + 1)
        for mantissa in mantissas
        if low <= math.log10(mantissa) + decade <= high and decade % step == 0
    ]
    return numbers(values), [f"{value / factor:g}{name}" for value in values for factor, name in [units.prefix(value)]]


def vertical_line(x: float | str, dash: str = "dot") -> dict[str, Any]:
    """Return a grey line over the height of the plot at `x`."""
    line = {"color": NEUTRAL, "width": 1.5, "dash": dash}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}
