"""Names in a plot: none covers a mark, an error bar or another name where there is room."""

from __future__ import annotations

import itertools

import pytest

from joulemark.reports.figures.labels import MARK, SIZES, Box, LabelPlacer, Point, beside, box, shared


def placed(points: list[Point], names: list[str], spans: list[Box] | None = None) -> list[str]:
    wanted = [(beside(point), name) for point, name in zip(points, names, strict=True) if name]
    found = LabelPlacer(points, spans or []).place(wanted)
    return [choices[i][1] for (choices, _), i in zip(wanted, found, strict=True)]


def boxes(points: list[Point], names: list[str], size: Point) -> list[Box]:
    where = placed(points, names)
    return [box((p, place), len(n), size) for p, n, place in zip(points, names, where, strict=True)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("across", [0.3, 0.5, 0.7])
def test_four_nearly_equal_cases_can_all_be_read(across: float, size: Point) -> None:
    points = [(across, 0.5), (across + 0.01, 0.51), (across - 0.01, 0.49), (across, 0.52)]
    names = ["PyTorch eager", "PyTorch compile", "TensorFlow graph", "TensorFlow xla"]
    assert sum(shared(a, b) for a, b in itertools.combinations(boxes(points, names, size), 2)) == 0


@pytest.mark.parametrize("size", SIZES)
def test_two_close_marks_keep_their_names_off_one_another(size: Point) -> None:
    """The matrix product's: in a wider plot the second mark came out from under the first, beneath its name."""
    points = [(0.2, 0.72), (0.235, 0.7)]
    marks = [(x * size[0] - MARK, y * size[1] - MARK, x * size[0] + MARK, y * size[1] + MARK) for x, y in points]
    one, other = boxes(points, ["PyTorch eager", "PyTorch compile"], size)
    assert sum(shared(a, b) for a, b in [(one, other), *itertools.product((one, other), marks)]) == 0


def test_a_lonely_name_stands_above_towards_the_middle() -> None:
    assert placed([(0.1, 0.5)], ["one"]) == ["top right"]
    assert placed([(0.5, 0.5)], ["one"]) == ["top center"]
    assert placed([(0.9, 0.5)], ["one"]) == ["top left"]


def test_a_name_does_not_leave_the_plot() -> None:
    assert placed([(0.5, 0.99)], ["one"]) == ["bottom center"]


def test_marks_without_a_name_take_room_and_give_none() -> None:
    assert placed([(0.5, 0.5), (0.5, 0.55)], ["one", ""]) == ["bottom center"]


def test_a_name_keeps_off_an_error_bar() -> None:
    (where,) = placed([(0.5, 0.5)], ["PyTorch eager"], [(0.5, 0.3, 0.5, 0.7)])
    assert "center" not in where
