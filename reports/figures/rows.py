"""Rows of a chart: one a group of cases, or one a case, with names that fit beside a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.model.cases import CaseView


def group_label(view: CaseView) -> str:
    """A row that several frameworks share: title, and below it what else tells it from others."""
    return two_lines(view.title, view.detail)


def case_label(view: CaseView) -> str:
    """A row of one case: its work, and below it framework, mode and the rest."""
    return two_lines(view.title, " · ".join(part for part in (view.name, view.detail) if part))


def two_lines(first: str, second: str) -> str:
    """A name in two lines, the second smaller; inert for Plotly."""
    below = f"<br><span style='font-size:10px'>{for_plotly(second, 90)}</span>" if second else ""
    return for_plotly(first) + below


def row_axis(labels: Sequence[str], **more: Any) -> dict[str, Any]:
    """A vertical axis with one named row a unit, the first on top."""
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": list(labels),
        "range": [len(labels) - 0.5, -0.5],
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        **more,
    }


def row_height(rows: int, row_px: int = 40) -> int:
    """Height of a figure with that many rows, its legend and its axis, pixels."""
    return _AROUND_PX + rows * row_px


WHOLE_ROWS = 40
"""Rows up to which a chart is drawn in one piece: a browser takes seconds for the labels of hundreds."""
_SLICE_PX = 900
_AROUND_PX = 92


def slices(layout: Mapping[str, Any]) -> tuple[tuple[float, float, int], ...]:
    """Where a chart of many rows is cut: (from, to) on its vertical axis and the height of the piece, pixels.

    Empty for a chart without rows, and for one of few.
    """
    places = layout.get("yaxis", {}).get("tickvals", ())
    if len(places) <= WHOLE_ROWS or "yaxis2" in layout or layout["yaxis"].get("type") == "log":
        return ()
    bottom, top = layout["yaxis"]["range"]
    row_px = (layout["height"] - _AROUND_PX) / (bottom - top)
    ends = [top]
    for before, after in pairwise(places):
        if (after - ends[-1]) * row_px > _SLICE_PX:
            ends.append((before + after) / 2)
    ends.append(bottom)
    return tuple((a, b, _AROUND_PX + round((b - a) * row_px)) for a, b in pairwise(ends))


def offset(index: int, count: int) -> float:
    """Where in its row the mark at `index` of `count` stands, so that marks do not cover one another."""
    return (index - (count - 1) / 2) * min(0.26, 0.7 / count)


def places(counts: Sequence[int]) -> tuple[list[float], float]:
    """The middle of each row that holds that many marks, in units of a row of two; and where the last row ends."""
    heights = [max(1.0, count * 0.5) for count in counts]
    ends = list(accumulate(heights))
    return [end - height / 2 for end, height in zip(ends, heights, strict=True)], ends[-1] if ends else 0.0
