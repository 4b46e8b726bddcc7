"""Rows of a chart: one a group of cases, or one a case, with names that fit beside a plot."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from reports.inert import text
from reports.model.cases import CaseView


def group_label(view: CaseView) -> str:
    """A row that several frameworks share: title, and below it what else tells it from others."""
    return two_lines(view.title, view.detail)


def case_label(view: CaseView) -> str:
    """A row of one case: its work, and below it framework, mode and the rest."""
    return two_lines(view.title, " · ".join(part for part in (view.name, view.detail) if part))


def two_lines(first: str, second: str) -> str:
    """A name in two lines, the second smaller; inert for Plotly."""
    below = f"<br><span style='font-size:10px'>{text(second, 90)}</span>" if second else ""
    return text(first) + below


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
    return 92 + rows * row_px


def offset(index: int, count: int) -> float:
    """Where in its row the mark at `index` of `count` stands, so that marks do not cover one another."""
    return (index - (count - 1) / 2) * min(0.26, 0.7 / count)


def places(counts: Sequence[int]) -> tuple[list[float], float]:
    """The middle of each row that holds that many marks, in units of a row of two; and where the last row ends."""
    heights = [max(1.0, count * 0.5) for count in counts]
    ends = list(accumulate(heights))
    return [end - height / 2 for end, height in zip(ends, heights, strict=True)], ends[-1] if ends else 0.0
