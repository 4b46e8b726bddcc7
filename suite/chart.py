"""A small bar chart made of characters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_FULL: Final = "█"


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
