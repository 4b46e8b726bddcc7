"""A chart of values over runs, made of characters: each value with its interval, the levels between steps. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.units import significant

Value = tuple[float, float | None, float | None]
"""A value and the ends of its interval, None where it has none."""


@dataclass(frozen=True)
class Characters:
    """What a chart is drawn with."""

    value: str
    interval: str
    level: str
    step: str
    side: str
    corner: str
    floor: str
    bars: str
    """From lowest to highest, for a line of one row."""


UNICODE: Final = Characters("●", "│", "─", "┆", "┤", "└", "─", "▁▂▃▄▅▆▇█")
ASCII: Final = Characters("o", "|", "-", ":", "|", "+", "-", "_.-~=*#@")
_WIDEST: Final = 4
"""Columns that one run takes at most."""


def characters(encoding: str | None) -> Characters:
    """What a terminal of `encoding` can show."""
    try:
        "●│─┆┤└▁█".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def timeline(
    values: Sequence[Value], levels: Sequence[tuple[int, int]], width: int, height: int, drawn_with: Characters
) -> list[str]:
    """Lines of a chart at most `width` wide and `height` high, without the axis of time.

    `levels` are stretches of places (first, last excluded); between two of them is a step. Where there are more
    values than columns, several share one: their geometric mean, and all that they span.
    """
    if not values:
        return []
    scale = _Scale.over(values, height)
    labels = scale.labels()
    margin = max(map(len, labels)) + 1
    room = max(1, width - margin - 1)
    columns, spread = min(len(values), room), max(1, min(_WIDEST, room // len(values)))
    place = [i * columns // len(values) for i in range(len(values))]
    canvas = [[" "] * (columns * spread) for _ in range(height)]
    for first, last in levels:
        row = scale.row(_mean([value for value, _, _ in values[first:last]]))
        for x in range(place[first] * spread, (place[last - 1] + 1) * spread):
            canvas[row][x] = drawn_with.level
    for first, _ in levels[1:]:
        for line in canvas:
            line[place[first] * spread] = drawn_with.step
    for column in range(columns):
        _draw(canvas, column * spread + spread // 2, _shared(values, place, column), scale, drawn_with)
    lines = [f"{label:>{margin}}{drawn_with.side}{''.join(line)}" for label, line in zip(labels, canvas, strict=True)]
    return [line.rstrip() for line in [*lines, f"{'':>{margin}}{drawn_with.corner}{drawn_with.floor * len(canvas[0])}"]]


def sparkline(values: Sequence[float], width: int, drawn_with: Characters) -> str:
    """The values in one row of at most `width` characters, the lowest and the highest at the ends of the bars."""
    if not values:
        return ""
    columns = min(width, len(values))
    means = [_mean(values[i * len(values) // columns : (i + 1) * len(values) // columns]) for i in range(columns)]
    low, high = min(means), max(means)
    top = len(drawn_with.bars) - 1
    return "".join(
        drawn_with.bars[round(top * (mean - low) / (high - low)) if high > low else top // 2] for mean in means
    )


@dataclass(frozen=True)
class _Scale:
    """Values to rows, the highest on top."""

    low: float
    high: float
    height: int

    @classmethod
    def over(cls, values: Sequence[Value], height: int) -> _Scale:
        """All values are inside; ends of intervals as far as they leave half of the chart to the values."""
        low, high = min(value for value, _, _ in values), max(value for value, _, _ in values)
        room = (high - low) / 2 or 0.05 * high
        ends = [end for _, *pair in values for end in pair if end is not None]
        return cls(max(low - room, min([low, *ends])), min(high + room, max([high, *ends])), height)

    def row(self, value: float) -> int:
        if self.high <= self.low:
            return self.height // 2
        share = (self.high - value) / (self.high - self.low)
        return min(self.height - 1, max(0, round(share * (self.height - 1))))

    def labels(self) -> list[str]:
        """A number on the first, the middle and the last row."""
        step = (self.high - self.low) / max(1, self.height - 1)
        digits = 3 if step <= 0 else max(3, 1 + math.ceil(math.log10(self.high / step)))
        shown = {0, self.height // 2, self.height - 1}
        return [significant(self.high - i * step, digits) if i in shown else "" for i in range(self.height)]


def _shared(values: Sequence[Value], place: Sequence[int], column: int) -> Value:
    """What stands in one column."""
    own = [value for value, at in zip(values, place, strict=True) if at == column]
    if len(own) == 1:
        return own[0]
    every = [number for value in own for number in value if number is not None]
    return _mean([value for value, _, _ in own]), min(every), max(every)


def _draw(canvas: list[list[str]], x: int, value: Value, scale: _Scale, drawn_with: Characters) -> None:
    middle, low, high = value
    if low is not None and high is not None:
        for y in range(scale.row(high), scale.row(low) + 1):
            canvas[y][x] = drawn_with.interval
    canvas[scale.row(middle)][x] = drawn_with.value


def _mean(values: Sequence[float]) -> float:
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))
