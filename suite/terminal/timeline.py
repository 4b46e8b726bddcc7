"""A chart of values over runs, made of characters: values, their intervals, and the levels between changes. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import geometric_mean
from typing import Final

from joulemark.suite.units import significant

Value = tuple[float, float | None, float | None]
"""A value and the ends of its interval, None without one."""


@dataclass(frozen=True)
class CharacterSet:
    """Characters to draw a chart with; `bars` are those of a sparkline, from lowest to highest."""

    value: str
    interval: str
    level: str
    change: str
    axis: str
    corner: str
    floor: str
    bars: str


UNICODE: Final = CharacterSet("●", "│", "─", "┆", "┤", "└", "─", "▁▂▃▄▅▆▇█")
ASCII: Final = CharacterSet("o", "|", "-", ":", "|", "+", "-", "_.-~=*#@")
_MAX_RUN_WIDTH: Final = 4
"""Columns per run at most."""


def character_set(encoding: str | None) -> CharacterSet:
    """Return the characters that a terminal of `encoding` can show."""
    try:
        "●│─┆┤└▁█".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def timeline(
    values: Sequence[Value], levels: Sequence[tuple[int, int]], width: int, height: int, characters: CharacterSet
) -> list[str]:
    """Return the lines of a chart, at most `width` by `height` characters without the time axis.

    `levels` are ranges of indices (first, last exclusive) with a change between them. If there are more values than
    columns, several share one: it shows their geometric mean and the range that they span.
    """
    if not values:
        return []
    scale = _Scale.for_values(values, height)
    labels = scale.labels()
    margin = max(map(len, labels)) + 1
    plot_width = max(1, width - margin - 1)
    columns, run_width = min(len(values), plot_width), max(1, min(_MAX_RUN_WIDTH, plot_width // len(values)))
    column_of = [i * columns // len(values) for i in range(len(values))]
    canvas = [[" "] * (columns * run_width) for _ in range(height)]
    for first, last in levels:
        row = scale.row(geometric_mean([value for value, _, _ in values[first:last]]))
        for x in range(column_of[first] * run_width, (column_of[last - 1] + 1) * run_width):
            canvas[row][x] = characters.level
    for first, _ in levels[1:]:
        for line in canvas:
            line[column_of[first] * run_width] = characters.change
    for column in range(columns):
        middle, low, high = _value_of_column(values, column_of, column)
        x = column * run_width + run_width // 2
        if low is not None and high is not None:
            for y in range(scale.row(high), scale.row(low) + 1):
                canvas[y][x] = characters.interval
        canvas[scale.row(middle)][x] = characters.value
    lines = [f"{label:>{margin}}{characters.axis}{''.join(line)}" for label, line in zip(labels, canvas, strict=True)]
    lines.append(f"{'':>{margin}}{characters.corner}{characters.floor * len(canvas[0])}")
    return [line.rstrip() for line in lines]


def sparkline(values: Sequence[float], width: int, characters: CharacterSet) -> str:
    """Return the values as one line of at most `width` bars, scaled from the lowest to the highest."""
    if not values:
        return ""
    columns = min(width, len(values))
    bounds = [i * len(values) // columns for i in range(columns + 1)]
    means = [geometric_mean(values[bounds[i] : bounds[i + 1]]) for i in range(columns)]
    low, high = min(means), max(means)
    top = len(characters.bars) - 1
    return "".join(
        characters.bars[round(top * (mean - low) / (high - low)) if high > low else top // 2] for mean in means
    )


@dataclass(frozen=True)
class _Scale:
    """A linear map from values to rows, the highest value on top."""

    low: float
    high: float
    height: int

    @classmethod
    def for_values(cls, values: Sequence[Value], height: int) -> _Scale:
        """Return a scale that holds all values, and their intervals as far as the values keep half of the chart."""
        low, high = min(value for value, _, _ in values), max(value for value, _, _ in values)
        margin = (high - low) / 2 or 0.05 * high
        ends = [end for _, *interval in values for end in interval if end is not None]
        return cls(max(low - margin, min([low, *ends])), min(high + margin, max([high, *ends])), height)

    def row(self, value: float) -> int:
        if self.high <= self.low:
            return self.height // 2
        share = (self.high - value) / (self.high - self.low)
        return min(self.height - 1, max(0, round(share * (self.height - 1))))

    def labels(self) -> list[str]:
        """Return a label for each row: a number on the first, middle and last, else empty."""
        step = (self.high - self.low) / max(1, self.height - 1)
        digits = 3 if step <= 0 else max(3, 1 + math.ceil(math.log10(self.high / step)))
        labelled = {0, self.height // 2, self.height - 1}
        return [significant(self.high - i * step, digits) if i in labelled else "" for i in range(self.height)]


def _value_of_column(values: Sequence[Value], column_of: Sequence[int], column: int) -> Value:
    """Return the value drawn in `column`; for several, their mean and range."""
    members = [value for value, its_column in zip(values, column_of, strict=True) if its_column == column]
    if len(members) == 1:
        return members[0]
    numbers = [number for value in members for number in value if number is not None]
    return geometric_mean([value for value, _, _ in members]), min(numbers), max(numbers)
