"""Lines of equal power behind speed and energy: items per second x joules per item = watts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from joulemark.reports.figures.base import numbers
from joulemark.reports.figures.labels import Choice, LabelPlacer, Point
from joulemark.reports.marks import NEUTRAL
from joulemark.suite import units

_ALONG = (0.88, 0.72, 0.55, 0.38, 0.2, 0.08)
"""Places along a line of equal power where its name may stand."""
_SIDES = ("top right", "bottom left")
"""Where a name stands clear of a line that falls to the right."""

Ranges = tuple[Sequence[float], Sequence[float]]
"""Ends of both axes, logarithms."""


def within(x: float, y: float, ranges: Ranges) -> Point:
    """Where a point lies in the plot."""
    across, up = ((math.log10(value) - low) / (high - low) for value, (low, high) in zip((x, y), ranges, strict=True))
    return across, up


def equal_power(ranges: Ranges, room: LabelPlacer) -> list[dict[str, Any]]:
    """Lines of equal power across a plot of items per second and joules per item, at most six, at round watts.

    Their names are a trace of their own: beside points without a name Plotly leaves some of them out.
    """
    x, y = ranges
    low, high = x[0] + y[0], x[1] + y[1]
    steps = [math.log10(mantissa) + decade for decade in range(-9, 10) for mantissa in (1, 2, 5)]
    inside = [step for step in steps if low < step < high]
    across: list[float | None] = []
    up: list[float | None] = []
    names: list[tuple[list[Choice], str]] = []
    for log_w in inside[:: max(1, math.ceil(len(inside) / 6))]:
        start, end = max(x[0], log_w - y[1]), min(x[1], log_w - y[0])
        across += [10**start, 10**end, None]
        up += [10 ** (log_w - place) for place in (start, end)] + [None]
        inner = [start + part * (end - start) for part in _ALONG]
        choices = [(within(10**at, 10 ** (log_w - at), ranges), side) for at in inner for side in _SIDES]
        names.append((choices, units.quantity(10**log_w, "W", 1)))
    chosen = [choices[i] for (choices, _), i in zip(names, room.place(names), strict=True)]
    shared = {"type": "scatter", "name": "equal power", "hoverinfo": "skip"}
    line = {"color": NEUTRAL, "width": 1, "dash": "dot"}
    return [
        {**shared, "mode": "lines", "x": numbers(across), "y": numbers(up), "line": line, "meta": {"iso": True}},
        {
            **shared,
            "mode": "text",
            "x": numbers(10 ** (x[0] + part * (x[1] - x[0])) for (part, _), _ in chosen),
            "y": numbers(10 ** (y[0] + part * (y[1] - y[0])) for (_, part), _ in chosen),
            "text": [name for _, name in names],
            "textposition": [side for _, side in chosen],
            "textfont": {"size": 9, "color": NEUTRAL},
        },
    ]
