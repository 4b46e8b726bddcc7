"""The Pareto front, its points and its lines of equal power."""

from __future__ import annotations

import pytest

from joulemark.reports.figures.pareto import pareto_front
from joulemark.reports.model import Report
from joulemark.reports.plotting.figure import Figure, number


def test_front_has_the_points_that_no_other_beats_in_both() -> None:
    points = [(10.0, 5.0), (20.0, 5.0), (20.0, 4.0), (30.0, 6.0), (5.0, 1.0), (4.0, 2.0)]
    assert {points[i] for i in pareto_front(points)} == {(30.0, 6.0), (20.0, 4.0), (5.0, 1.0)}


@pytest.fixture
def charts(drawn: dict[str, Figure]) -> list[Figure]:
    return [figure for id, figure in drawn.items() if id.startswith("pareto")]


def test_points_are_throughput_and_energy_of_the_cases(report: Report, charts: list[Figure]) -> None:
    traces = [trace for figure in charts for trace in figure.data if trace["mode"] == "markers+text"]
    points = {point for trace in traces for point in zip(trace["x"], trace["y"], strict=True)}
    quantities = [(view.quantity("throughput"), view.quantity("energy_per_item_j")) for view in report.shown]
    assert points == {(number(throughput.value), number(energy.value)) for throughput, energy in quantities}
    for figure in charts:
        for _, speed, energy_j, power_w, _ in figure.table.rows:
            assert isinstance(speed, float)
            assert isinstance(energy_j, float)
            assert power_w == pytest.approx(speed * energy_j, rel=1e-3)


def test_lines_of_equal_power_have_their_watts(charts: list[Figure]) -> None:
    for figure in charts:
        lines = next(trace for trace in figure.data if trace.get("meta", {}).get("iso"))
        products = [x * y for x, y in zip(lines["x"], lines["y"], strict=True) if x is not None]
        assert products[::2] == pytest.approx(products[1::2], rel=1e-4)
        labels = next(trace for trace in figure.data if trace["mode"] == "text")
        watts = [x * y for x, y in zip(labels["x"], labels["y"], strict=True)]
        assert watts == pytest.approx(products[::2], rel=1e-4)
        assert [float(text.split()[0]) for text in labels["text"]] == pytest.approx(watts, rel=1e-4)
