"""Labels in a plot cover no mark, error bar or other label where there is room."""

from __future__ import annotations

import itertools

import pytest

from joulemark.reports.plotting.label_placement import (
    MARK,
    SIZES,
    Box,
    LabelPlacer,
    Point,
    beside,
    label_box,
    overlap,
)


def positions(points: list[Point], labels: list[str], spans: list[Box] | None = None) -> list[str]:
    wanted = [(beside(point), label) for point, label in zip(points, labels, strict=True) if label]
    chosen = LabelPlacer(points, spans or []).place(wanted)
    return [choices[i][1] for (choices, _), i in zip(wanted, chosen, strict=True)]


def boxes(points: list[Point], labels: list[str], size: Point) -> list[Box]:
    placed = zip(points, labels, positions(points, labels), strict=True)
    return [label_box((point, position), len(label), size) for point, label, position in placed]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("across", [0.3, 0.5, 0.7])
def test_labels_of_four_nearly_equal_cases_do_not_overlap(across: float, size: Point) -> None:
    points = [(across, 0.5), (across + 0.01, 0.51), (across - 0.01, 0.49), (across, 0.52)]
    labels = ["PyTorch eager", "PyTorch compile", "TensorFlow graph", "TensorFlow xla"]
    assert sum(overlap(a, b) for a, b in itertools.combinations(boxes(points, labels, size), 2)) == 0


@pytest.mark.parametrize("size", SIZES)
def test_labels_of_two_close_marks_cover_neither_mark(size: Point) -> None:
    """In a wider plot the second mark of the matrix product once came out from under the first, beneath its label."""
    points = [(0.2, 0.72), (0.235, 0.7)]
    marks = [(x * size[0] - MARK, y * size[1] - MARK, x * size[0] + MARK, y * size[1] + MARK) for x, y in points]
    first, second = boxes(points, ["PyTorch eager", "PyTorch compile"], size)
    assert sum(overlap(a, b) for a, b in [(first, second), *itertools.product((first, second), marks)]) == 0


def test_single_label_stands_above_towards_the_middle() -> None:
    assert positions([(0.1, 0.5)], ["one"]) == ["top right"]
    assert positions([(0.5, 0.5)], ["one"]) == ["top center"]
    assert positions([(0.9, 0.5)], ["one"]) == ["top left"]


def test_label_stays_inside_the_plot() -> None:
    assert positions([(0.5, 0.99)], ["one"]) == ["bottom center"]


def test_unlabelled_marks_are_not_covered() -> None:
    assert positions([(0.5, 0.5), (0.5, 0.55)], ["one", ""]) == ["bottom center"]


def test_label_keeps_off_an_error_bar() -> None:
    (position,) = positions([(0.5, 0.5)], ["PyTorch eager"], [(0.5, 0.3, 0.5, 0.7)])
    assert "center" not in position
