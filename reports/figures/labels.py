"""Where the names of marks stand in a plot, so that no name covers a mark or another name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

WIDTH, HEIGHT = 480.0, 290.0
"""Pixels of the smallest plot that stands beside another; in a wider one names only have more room."""

LETTER, LINE, MARK = 6.2, 15.0, 9.0
"""Pixels: a letter across, a line of text, half a mark."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, pixels."""


def placed(points: Sequence[tuple[float, float]], names: Sequence[str]) -> list[str]:
    """Plotly's `textposition` of each name beside its point, one after the other where it covers least.

    `points`: (across, up), each 0 to 1 within the plot. An empty name takes no room.
    """
    marks = [_mark(point) for point in points]
    taken: list[Box] = []
    found = []
    for i, (point, name) in enumerate(zip(points, names, strict=True)):
        if not name:
            found.append("top center")
            continue
        others = [*taken, *marks[:i], *marks[i + 1 :]]
        boxes = {where: _box(point, len(name), where) for where in _places(point[0])}
        best = min(boxes, key=lambda where: _covered(boxes[where], others))  # the first of equals
        taken.append(boxes[best])
        found.append(best)
    return found


def _places(across: float) -> Iterator[str]:
    """Those towards the middle of the plot first."""
    sides = ["center", "right", "left"] if 0.35 <= across <= 0.65 else ["right", "center", "left"]
    if across > 0.65:
        sides.reverse()
    for side in sides:
        yield from (f"top {side}", f"bottom {side}")
    yield from (f"middle {side}" for side in sides if side != "center")


def _mark(point: tuple[float, float]) -> Box:
    x, y = point[0] * WIDTH, point[1] * HEIGHT
    return x - MARK, y - MARK, x + MARK, y + MARK


def _box(point: tuple[float, float], letters: int, where: str) -> Box:
    """What a name of so many letters covers beside `point`."""
    vertical, side = where.split()
    x, y, width = point[0] * WIDTH, point[1] * HEIGHT, letters * LETTER
    left = {"center": x - width / 2, "right": x, "left": x - width}[side]
    if vertical == "middle":
        left += MARK if side == "right" else -MARK
    bottom = {"top": y + MARK, "middle": y - LINE / 2, "bottom": y - MARK - LINE}[vertical]
    return left, bottom, left + width, bottom + LINE


def _covered(box: Box, others: Iterable[Box]) -> float:
    """Square pixels of `others` under `box`, and of the box itself outside the plot."""
    inside = _shared(box, (0.0, 0.0, WIDTH, HEIGHT))
    area = (box[2] - box[0]) * (box[3] - box[1])
    return area - inside + sum(_shared(box, other) for other in others)


def _shared(a: Box, b: Box) -> float:
    across, up = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return across * up if across > 0 and up > 0 else 0.0
