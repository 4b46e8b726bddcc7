"""Lines of equal power behind speed and energy: items per second x joules per item = watts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from joulemark.reports.markers import NEUTRAL
from joulemark.reports.plotting.figure import numbers
from joulemark.reports.plotting.label_placement import Choice, LabelPlacer, Point
from joulemark.suite import units

_MAX_LINES = 6
_PLACES_ALONG = (0.88, 0.72, 0.55, 0.38, 0.2, 0.08)
"""Places along a line of equal power where its label may stand."""
_SIDES = ("top right", "bottom left")
"""Where a label stands clear of a line that falls to the right."""

Ranges = tuple[Sequence[float], Sequence[float]]
"""Ends of both axes, logarithms."""


def plot_position(x: float, y: float, ranges: Ranges) -> Point:
    """Return where a point lies in the plot, 0 to 1 in both directions."""
    across, up = ((math.log10(value) - low) / (high - low) for value, (low, high) in zip((x, y), ranges, strict=True))
    return across, up


def equal_power_lines(ranges: Ranges, placer: LabelPlacer) -> list[dict[str, Any]]:
    """Return lines of equal power across a plot of items per second and joules per item, at round watts.

    Their labels are a trace of their own: Plotly leaves out some of them beside points without a label.
    """
    x, y = ranges
    low, high = x[0] + y[0], x[1] + y[1]
    round_logs = [math.log10(mantissa) + decade for decade in range(-9, 10) for mantissa in (1, 2, 5)]
    inside = [log_w for log_w in round_logs if low < log_w < high]
    across: list[float | None] = []
    up: list[float | None] = []
    labels: list[tuple[list[Choice], str]] = []
    for log_w in inside[:: max(1, math.ceil(len(inside) / _MAX_LINES))]:
        start, end = max(x[0], log_w - y[1]), min(x[1], log_w - y[0])
        across += [10**start, 10**end, None]
        up += [10 ** (log_w - place) for place in (start, end)] + [None]
        places = [start + share * (end - start) for share in _PLACES_ALONG]
        choices = [
            (plot_position(10**place, 10 ** (log_w - place), ranges), side) for place in places for side in _SIDES
        ]
        labels.append((choices, units.quantity(10**log_w, "W", 1)))
    chosen = [choices[i] for (choices, _), i in zip(labels, placer.place(labels), strict=True)]
    shared = {"type": "scatter", "name": "equal power", "hoverinfo": "skip"}
    line = {"color": NEUTRAL, "width": 1, "dash": "dot"}
    return [
        {**shared, "mode": "lines", "x": numbers(across), "y": numbers(up), "line": line, "meta": {"iso": True}},
        {
            **shared,
            "mode": "text",
            "x": numbers(10 ** (x[0] + share * (x[1] - x[0])) for (share, _), _ in chosen),
            "y": numbers(10 ** (y[0] + share * (y[1] - y[0])) for (_, share), _ in chosen),
            "text": [label for _, label in labels],
            "textposition": [side for _, side in chosen],
            "textfont": {"size": 9, "color": NEUTRAL},
        },
    ]
