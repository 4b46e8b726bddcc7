"""Small bar charts made of characters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_FULL: Final = "█"
_LEAST_ROOM: Final = 12
"""Characters that a bar needs to say anything; labels are cut off to leave it so many."""


def bars(rows: Sequence[tuple[str, float]], width: int = 40) -> list[str]:
    """One line a row: its label, its value, and a bar from zero to the largest value, `width` characters long."""
    largest = max((value for _, value in rows), default=0.0)
    labels = max((len(label) for label, _ in rows), default=0)
    numbers = max((len(f"{value:.0f}") for _, value in rows), default=0)
    return [
        f"{label:<{labels}}  {value:>{numbers}.0f}  {_bar(value, largest, width)}".rstrip() for label, value in rows
    ]


def _bar(value: float, largest: float, width: int) -> str:
    eighths = round(8 * width * value / largest) if largest > 0 else 0
    return _FULL * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


@dataclass(frozen=True)
class Row:
    """One value with its interval."""

    label: str
    text: str
    """The value for people."""
    value: float | None
    """None: not measured, and no bar."""
    low: float | None = None
    high: float | None = None
    hatched: bool = False
    """Whether the value is an estimate."""


@dataclass(frozen=True)
class _Style:
    full: str
    hatched: str
    ends: str
    """Lower end, line, upper end and middle of an interval."""


_BLOCKS: Final = _Style("█", "░", "├─┤●")
_ASCII: Final = _Style("=", ":", "[-]o")


def spans(rows: Sequence[Row], width: int, ascii: bool = False) -> list[str]:
    """One line a row, none longer than `width`: label, value, a bar from zero, and its interval drawn over it.

    All share one scale, from zero to the largest upper end.
    """
    numbers = max((len(row.text) for row in rows), default=0)
    labels = max(1, min(max((len(row.label) for row in rows), default=0), width - numbers - _LEAST_ROOM - 4))
    room = width - labels - numbers - 4
    known = [end for row in rows for end in (row.value, row.high) if end is not None]
    scale = (room - 1) / max(known) if known and max(known) > 0 and room > 1 else 0.0
    style = _ASCII if ascii else _BLOCKS
    return [
        f"{_fitted(row.label, labels, ascii):<{labels}}  {row.text:>{numbers}}  {_span(row, scale, style)}".rstrip()[
            : max(0, width)
        ]
        for row in rows
    ]


def _fitted(label: str, length: int, ascii: bool) -> str:
    return label if len(label) <= length else label[: length - 1] + ("~" if ascii else "…")


def _span(row: Row, scale: float, style: _Style) -> str:
    """The bar of one row in characters; empty where there is no value or no room."""
    if row.value is None or scale <= 0:
        return ""
    cells = [style.hatched if row.hatched else style.full] * (round(row.value * scale) + 1)
    if row.low is None or row.high is None:
        return "".join(cells)
    low, middle, high = (round(end * scale) for end in (row.low, row.value, row.high))
    cells += [" "] * (high + 1 - len(cells))
    cells[low : high + 1] = style.ends[1] * (high + 1 - low)
    cells[low], cells[high], cells[middle] = style.ends[0], style.ends[2], style.ends[3]
    return "".join(cells)
