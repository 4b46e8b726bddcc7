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
        f"the interval. {_parts_text(report)} Further left is less energy."
    )
    figure = dot_plot(report, "energy_per_item_j", "Energy per item", "joules per item", how_to_read)
    estimated = {view.estimated for view in report.shown}
    source = "sensor or estimate" if len(estimated) > 1 else "estimate" if True in estimated else "sensor"
    return with_ranges(
        figure, report, "energy_per_item_j", f"error range of the {source}", lambda quantity: [quantity.ranges.sensor]
    )


def _parts_text(report: Report) -> str:
    """Return which part of the error range is common to all cases, and which narrows with more trials."""
    gains = {view.quantity("energy_per_item_j").ranges.gain for view in report.shown} - {None}
    limits = "".join(f" (x {gain[0]:.3g} to {gain[1]:.3g})" for gain in gains if gain) if len(gains) == 1 else ""
    return f"Its gain{limits} is common to all cases on one device; the rest is sampling, and narrows with more trials."
