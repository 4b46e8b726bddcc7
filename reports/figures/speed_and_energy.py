"""Throughput and energy per item by case."""

from __future__ import annotations

from joulemark.reports.model.report import Report
from joulemark.reports.plotting.dot_plot import MARKS_TEXT, ROWS_TEXT, dot_plot, with_ranges
from joulemark.reports.plotting.figure import Figure


def figures(report: Report) -> list[Figure]:
    """Return throughput, and gross energy with the error range of the sensors."""
    throughput = dot_plot(
        report, "throughput", "Throughput", "items per second", ROWS_TEXT + "Further right is faster."
    )
    return [figure for figure in (throughput, _energy(report)) if figure is not None]


def _energy(report: Report) -> Figure | None:
    how_to_read = (
        ROWS_TEXT + MARKS_TEXT + "A grey bar is the error range of the sensor, or of the estimate; it is not part of "
        "the interval, and is common to all cases on one device. Further left is less energy."
    )
    figure = dot_plot(report, "energy_per_item_j", "Energy per item", "joules per item", how_to_read)
    estimated = {view.estimated for view in report.shown}
    source = "sensor or estimate" if len(estimated) > 1 else "estimate" if True in estimated else "sensor"
    return with_ranges(
        figure, report, "energy_per_item_j", f"error range of the {source}", lambda quantity: [quantity.ranges.sensor]
    )
