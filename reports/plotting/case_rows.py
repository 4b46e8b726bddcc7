"""Charts with one named row for each case or group of cases: labels, axis, height, and slices of tall charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.model.cases import CaseView

MAX_ROWS_UNSLICED = 40
"""Rows up to which a chart is drawn in one piece: a browser takes seconds for the labels of hundreds."""
SECOND_LINE_STYLE = "font-size:10px"
"""Style attribute of the second line of a label; the page's policy allows no other."""
_SLICE_PX = 900
_AROUND_PX = 92
"""Height of legend and axis."""


def group_label(view: CaseView) -> str:
    """Return the label of a row that several frameworks share: title, and detail below it."""
    return two_line_label(view.title, view.detail)


def case_label(view: CaseView) -> str:
    """Return the label of a row of one case: title, and below it framework, mode and detail."""
    return two_line_label(view.title, " · ".join(label for label in (view.name, view.detail) if label))


def two_line_label(first: str, second: str) -> str:
    """Return a label in two lines, the second smaller, escaped for Plotly."""
    below = f"<br><span style='{SECOND_LINE_STYLE}'>{for_plotly(second, 90)}</span>" if second else ""
    return for_plotly(first) + below


def row_axis(labels: Sequence[str], **settings: Any) -> dict[str, Any]:
    """Return a vertical axis with one labelled row per unit, the first on top."""
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": list(labels),
        "range": [len(labels) - 0.5, -0.5],
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        **settings,
    }


def row_height(rows: int, row_px: int = 40) -> int:
    """Return the height of a figure with that many rows, its legend and its axis, pixels."""
    return _AROUND_PX + rows * row_px


def slices(layout: Mapping[str, Any]) -> tuple[tuple[float, float, int], ...]:
    """Return where a chart of many rows is cut: (from, to) on its vertical axis and the height of the piece, pixels.

    Empty for a chart that is drawn in one piece.
    """
    places = layout.get("yaxis", {}).get("tickvals", ())
    if len(places) <= MAX_ROWS_UNSLICED or "yaxis2" in layout or layout["yaxis"].get("type") == "log":
        return ()
    bottom, top = layout["yaxis"]["range"]
    row_px = (layout["height"] - _AROUND_PX) / (bottom - top)
    cuts = [top]
    for before, after in pairwise(places):
        if (after - cuts[-1]) * row_px > _SLICE_PX:
            cuts.append((before + after) / 2)
    cuts.append(bottom)
    return tuple((a, b, _AROUND_PX + round((b - a) * row_px)) for a, b in pairwise(cuts))


def offset(index: int, count: int) -> float:
    """Return where in its row mark `index` of `count` stands, so that marks do not cover one another."""
    return (index - (count - 1) / 2) * min(0.26, 0.7 / count)


def row_middles(counts: Sequence[int]) -> tuple[list[float], float]:
    """Return the middle of each row that holds that many marks, in units of a row of two, and the end of the last."""
    heights = [max(1.0, count * 0.5) for count in counts]
    ends = list(accumulate(heights))
    return [end - height / 2 for end, height in zip(ends, heights, strict=True)], ends[-1] if ends else 0.0
