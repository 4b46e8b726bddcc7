"""Peak memory by case."""

from __future__ import annotations

from joulemark.reports.model.report import Report
from joulemark.reports.plotting.dot_plot import dot_plot
from joulemark.reports.plotting.figure import Figure

_HOW_TO_READ = (
    "The largest peak of any trial: on a GPU that of the framework's allocator in the window, on the CPU that of the "
    "whole process, the framework's own code included. The axis is logarithmic. Further left is less memory."
)


def figures(report: Report) -> list[Figure]:
    """Return peak memory by case."""
    figure = dot_plot(report, "peak_memory_bytes", "Peak memory", "bytes", _HOW_TO_READ, id="memory")
    return [] if figure is None else [figure]
