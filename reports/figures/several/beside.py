"""The run over each reference machine, case by case."""

from __future__ import annotations

from joulemark.reports.model.beside import Beside
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.plotting.forest_plot import forest_plot

_HOW_TO_READ = (
    "Each row is one case of this machine over the same task on the reference machine. To the right of 1 this machine "
    "is faster (pink diamonds) or processes more items per joule (grey hexagons). The line is the 95 % confidence "
    "interval, adjusted for the number of comparisons; it covers the trials of both and an assumed drift of each "
    "machine. Without a line one of them has a single trial. What differs beside the machine is in the table below. "
    "The axis is logarithmic."
)


def figures(report: Report) -> list[Figure]:
    """Return a forest plot for each reference machine that shares a case."""
    return [_figure(beside, len(report.runs) > 1) for beside in report.beside if beside.pairs]


def _figure(beside: Beside, several_runs: bool) -> Figure:
    own = f"run {beside.run}" if several_runs else "this machine"
    return forest_plot(
        beside.id,
        f"{own[:1].upper()}{own[1:]} over {beside.title}",
        beside.pairs,
        lambda pair: (pair.first.title, " · ".join(filter(None, [pair.first.name, pair.first.detail]))),
        (own, beside.title),
        _HOW_TO_READ,
    )
