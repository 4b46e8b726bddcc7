"""Where names stand in a plot, so that none covers a mark, an error bar or another name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

SIZES = ((250.0, 290.0), (480.0, 290.0), (600.0, 310.0))
"""Pixels of a plot: on a phone, in a column of a small window, and of a large one; names are equally large in all."""

LETTER, LINE, MARK = 6.2, 15.0, 9.0
"""Pixels: a letter across, a line of text, half a mark."""
_STROKE = 3.0
"""Pixels: half of what an error bar takes across."""

_WORSE = 20
"""How much worse a name on a name is than a name on a mark."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
Point = tuple[float, float]
"""Across and up, each 0 to 1 within the plot."""
Choice = tuple[Point, str]
"""Where a name may stand: a point and Plotly's `textposition`."""


class LabelPlacer:
    """What is taken in a plot, in pixels at each of its sizes."""

    def __init__(self, points: Sequence[Point], spans: Sequence[Box] = ()) -> None:
        """`points` bear marks; `spans` are how far their error bars reach, in parts of the plot."""
        self._marks = [[_mark(point, size) for point in points] for size in SIZES]
        self._names: list[list[Box]] = []
        for (x, y), (left, bottom, right, top) in zip(points, spans, strict=bool(spans)):
            for taken, (width, height) in zip(self._marks, SIZES, strict=True):
                at_x, at_y = x * width, y * height
                taken.append((left * width, at_y - _STROKE, right * width, at_y + _STROKE))
                taken.append((at_x - _STROKE, bottom * height, at_x + _STROKE, top * height))

    def place(self, wanted: Sequence[tuple[Sequence[Choice], str]]) -> list[int]:
        """Which of its choices covers least, the first of equals, for each name; they are then taken.

        The first to be placed know nothing of the others: each looks a second time.
        """
        first = len(self._names)
        found = []
        for again in (False, True):
            for place, (choices, name) in enumerate(wanted, first):
                others = self._names[:place] + self._names[place + 1 :]
                costs = [self._covered(_boxes(choice, len(name)), others) for choice in choices]
                found.append(costs.index(min(costs)))
                self._names[place : place + again] = [_boxes(choices[found[-1]], len(name))]
        return found[len(wanted) :]

    def _covered(self, own: Sequence[Box], names: Sequence[Sequence[Box]]) -> int:
        """Square pixels of what is taken under a name, and of the name outside the plot; over all sizes.

        Two names on one another cannot be read, a mark under a name can be seen: those count more.
        """
        covered = 0.0
        for i, (box, size) in enumerate(zip(own, SIZES, strict=True)):
            covered += (box[2] - box[0]) * LINE - shared(box, (0.0, 0.0, *size))
            covered += sum(shared(box, mark) for mark in self._marks[i])
            covered += sum(_WORSE * shared(box, name[i]) for name in names)
        return round(covered)


def beside(point: Point) -> list[Choice]:
    """Every place beside `point`, those towards the middle of the plot first."""
    return [(point, where) for where in _places(point[0])]


def _places(across: float) -> Iterator[str]:
    sides = ["center", "right", "left"] if 0.35 <= across <= 0.65 else ["right", "center", "left"]
    if across > 0.65:
        sides.reverse()
    for side in sides:
        yield from (f"top {side}", f"bottom {side}")
    yield from (f"middle {side}" for side in sides if side != "center")


def _mark(point: Point, size: Point) -> Box:
    x, y = point[0] * size[0], point[1] * size[1]
    return x - MARK, y - MARK, x + MARK, y + MARK


def _boxes(choice: Choice, letters: int) -> list[Box]:
    return [box(choice, letters, size) for size in SIZES]


def box(choice: Choice, letters: int, size: Point) -> Box:
    """What a name of so many letters covers in a plot of `size`."""
    point, where = choice
    vertical, side = where.split()
    x, y, width = point[0] * size[0], point[1] * size[1], letters * LETTER
    left = {"center": x - width / 2, "right": x, "left": x - width}[side]
    if vertical == "middle":
        left += MARK if side == "right" else -MARK
    bottom = {"top": y + MARK, "middle": y - LINE / 2, "bottom": y - MARK - LINE}[vertical]
    return left, bottom, left + width, bottom + LINE


def shared(a: Box, b: Box) -> float:
    """Square pixels that two boxes share."""
    across, up = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return across * up if across > 0 and up > 0 else 0.0
