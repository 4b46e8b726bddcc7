"""Bar charts made of characters. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_FULL: Final = "█"
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_MIN_BAR_WIDTH: Final = 12
"""Characters left to a bar; longer labels are cut."""


def bar_chart(rows: Sequence[tuple[str, float]], width: int = 40) -> list[str]:
    """Return one line per (label, value): both, and a bar from zero; the largest value is `width` characters long."""
    largest = max((value for _, value in rows), default=0.0)
    label_width = max((len(label) for label, _ in rows), default=0)
    value_width = max((len(f"{value:.0f}") for _, value in rows), default=0)
    return [
        f"{label:<{label_width}}  {value:>{value_width}.0f}  {_bar(value, largest, width)}".rstrip()
        for label, value in rows
    ]


def _bar(value: float, largest: float, width: int) -> str:
    eighths = round(8 * width * value / largest) if largest > 0 else 0
    return _FULL * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


@dataclass(frozen=True)
class Bar:
    """One value, as text and as a number, with its interval."""

    label: str
    text: str
    value: float | None
    """None if it was not measured: no bar is drawn."""
    low: float | None = None
    high: float | None = None
    hatched: bool = False
    """Whether the value is an estimate."""


@dataclass(frozen=True)
class _Style:
    full: str
    hatched: str
    cut: str
    """Mark at the end of a label that is cut."""
    interval: str
    """Lower end, line, upper end and middle of an interval."""


_BLOCKS: Final = _Style("█", "░", "…", "├─┤●")
_ASCII: Final = _Style("=", ":", "~", "[-]o")


def interval_chart(bars: Sequence[Bar], width: int, ascii: bool = False) -> list[str]:
    """Return a line of at most `width` characters per bar: label, value, and the bar under its interval, on one scale
    from zero to the largest upper end."""
    text_width = max((len(bar.text) for bar in bars), default=0)
    longest_label = max((len(bar.label) for bar in bars), default=0)
    label_width = max(1, min(longest_label, width - text_width - _MIN_BAR_WIDTH - 4))
    bar_width = width - label_width - text_width - 4
    ends = [end for bar in bars for end in (bar.value, bar.high) if end is not None]
    scale = (bar_width - 1) / max(ends) if ends and max(ends) > 0 and bar_width > 1 else 0.0
    style = _ASCII if ascii else _BLOCKS
    lines = (
        f"{_shortened(bar.label, label_width, style.cut):<{label_width}}  {bar.text:>{text_width}}  "
        f"{_with_interval(bar, scale, style)}"
        for bar in bars
    )
    return [line.rstrip()[: max(0, width)] for line in lines]


def _shortened(label: str, length: int, mark: str) -> str:
    return label if len(label) <= length else label[: length - 1] + mark


def _with_interval(bar: Bar, scale: float, style: _Style) -> str:
    """Return the characters of a bar, `scale` of them per unit; empty without a value or without room."""
    if bar.value is None or scale <= 0:
        return ""
    cells = [style.hatched if bar.hatched else style.full] * (round(bar.value * scale) + 1)
    if bar.low is None or bar.high is None:
        return "".join(cells)
    low, middle, high = (round(end * scale) for end in (bar.low, bar.value, bar.high))
    cells += [" "] * (high + 1 - len(cells))
    cells[low : high + 1] = style.interval[1] * (high + 1 - low)
    cells[low], cells[high], cells[middle] = style.interval[0], style.interval[2], style.interval[3]
    return "".join(cells)


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the last `width` of `values`, none negative, as one line from zero to the largest of them."""
    shown = values[-width:] if width > 0 else ()
    largest = max(shown, default=0.0)
    return "".join(_LEVELS[round((len(_LEVELS) - 1) * value / largest) if largest > 0 else 0] for value in shown)
