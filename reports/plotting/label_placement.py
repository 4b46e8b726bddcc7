"""Place labels in a plot where they cover no mark, error bar or other label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

SIZES = ((250.0, 290.0), (480.0, 290.0), (600.0, 310.0))
"""Pixels of a plot on a phone, in a column of a small window, and of a large one; labels have one size in all."""

LETTER, LINE, MARK = 6.2, 15.0, 9.0
"""Pixels: width of a letter, height of a line of text, half the width of a mark."""
_HALF_BAR = 3.0
"""Pixels: half the thickness of an error bar."""

_LABEL_WEIGHT = 20
"""How much worse it is to cover a label than a mark."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
Point = tuple[float, float]
"""Across and up, each 0 to 1 within the plot."""
Choice = tuple[Point, str]
"""Where a label may stand: a point and Plotly's `textposition`."""


class LabelPlacer:
    """The occupied areas of a plot, in pixels at each of its sizes."""

    def __init__(self, points: Sequence[Point], spans: Sequence[Box] = ()) -> None:
        """Reserve `points`, which bear marks, and `spans`, the extent of their error bars, 0 to 1 of the plot."""
        self._marks = [[_mark_box(point, size) for point in points] for size in SIZES]
        self._labels: list[list[Box]] = []
        for (x, y), (left, bottom, right, top) in zip(points, spans, strict=bool(spans)):
            for marks, (width, height) in zip(self._marks, SIZES, strict=True):
                at_x, at_y = x * width, y * height
                marks.append((left * width, at_y - _HALF_BAR, right * width, at_y + _HALF_BAR))
                marks.append((at_x - _HALF_BAR, bottom * height, at_x + _HALF_BAR, top * height))

    def place(self, labels: Sequence[tuple[Sequence[Choice], str]]) -> list[int]:
        """Return for each label which of its choices covers least, the first if equal, and reserve them.

        The first labels to be placed do not know where the others will be: each is placed twice.
        """
        first = len(self._labels)
        chosen = []
        for second_pass in (False, True):
            for index, (choices, text) in enumerate(labels, first):
                others = self._labels[:index] + self._labels[index + 1 :]
                costs = [self._covered(_label_boxes(choice, len(text)), others) for choice in choices]
                chosen.append(costs.index(min(costs)))
                self._labels[index : index + second_pass] = [_label_boxes(choices[chosen[-1]], len(text))]
        return chosen[len(labels) :]

    def _covered(self, boxes: Sequence[Box], labels: Sequence[Sequence[Box]]) -> int:
        """Return the square pixels that a label covers, and of it outside the plot, over all sizes.

        Two overlapping labels cannot be read, but a mark under a label can be seen: labels count more.
        """
        covered = 0.0
        for i, (box, size) in enumerate(zip(boxes, SIZES, strict=True)):
            covered += (box[2] - box[0]) * LINE - overlap(box, (0.0, 0.0, *size))
            covered += sum(overlap(box, mark) for mark in self._marks[i])
            covered += sum(_LABEL_WEIGHT * overlap(box, label[i]) for label in labels)
        return round(covered)


def beside(point: Point) -> list[Choice]:
    """Return every place beside `point`, those towards the middle of the plot first."""
    return [(point, position) for position in _positions(point[0])]


def _positions(across: float) -> Iterator[str]:
    sides = ["center", "right", "left"] if 0.35 <= across <= 0.65 else ["right", "center", "left"]
    if across > 0.65:
        sides.reverse()
    for side in sides:
        yield from (f"top {side}", f"bottom {side}")
    yield from (f"middle {side}" for side in sides if side != "center")


def _mark_box(point: Point, size: Point) -> Box:
    x, y = point[0] * size[0], point[1] * size[1]
    return x - MARK, y - MARK, x + MARK, y + MARK


def _label_boxes(choice: Choice, letters: int) -> list[Box]:
    return [label_box(choice, letters, size) for size in SIZES]


def label_box(choice: Choice, letters: int, size: Point) -> Box:
    """Return what a label of so many letters covers in a plot of `size`."""
    point, position = choice
    vertical, side = position.split()
    x, y, width = point[0] * size[0], point[1] * size[1], letters * LETTER
    left = {"center": x - width / 2, "right": x, "left": x - width}[side]
    if vertical == "middle":
        left += MARK if side == "right" else -MARK
    bottom = {"top": y + MARK, "middle": y - LINE / 2, "bottom": y - MARK - LINE}[vertical]
    return left, bottom, left + width, bottom + LINE


def overlap(a: Box, b: Box) -> float:
    """Return the square pixels that two boxes share."""
    across, up = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return across * up if across > 0 and up > 0 else 0.0
