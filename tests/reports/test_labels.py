"""Names beside marks: none covers another where there is room."""

from __future__ import annotations

import itertools

import pytest

from reports.figures.labels import _box, _shared, placed


def covered(points: list[tuple[float, float]], names: list[str]) -> float:
    """Square pixels that names share."""
    boxes = [_box(p, len(n), where) for p, n, where in zip(points, names, placed(points, names), strict=True) if n]
    return sum(_shared(a, b) for a, b in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("across", [0.3, 0.5, 0.7])
def test_four_nearly_equal_cases_can_all_be_read(across: float) -> None:
    points = [(across, 0.5), (across + 0.01, 0.51), (across - 0.01, 0.49), (across, 0.52)]
    names = ["PyTorch eager", "PyTorch compile", "TensorFlow graph", "TensorFlow xla"]
    assert covered(points, names) == 0


def test_a_lonely_name_stands_above_towards_the_middle() -> None:
    assert placed([(0.1, 0.5)], ["one"]) == ["top right"]
    assert placed([(0.5, 0.5)], ["one"]) == ["top center"]
    assert placed([(0.9, 0.5)], ["one"]) == ["top left"]


def test_a_name_does_not_leave_the_plot() -> None:
    assert placed([(0.5, 0.99)], ["one"]) == ["bottom center"]


def test_marks_without_a_name_take_room_and_give_none() -> None:
    assert placed([(0.5, 0.5), (0.5, 0.55)], ["one", ""]) == ["bottom center", "top center"]
