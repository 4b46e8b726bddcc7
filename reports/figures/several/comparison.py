"""Later runs over the first run."""

from __future__ import annotations

from joulemark.reports.model.report import Report
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.plotting.forest_plot import forest_plot

_HOW_TO_READ = (
    "Each row is one case of a later run over the same case of the first run. To the right of 1 the later run is "
    "faster (pink diamonds) or processes more items per joule (grey hexagons). The line is the 95 % confidence "
    "interval, adjusted for the number of comparisons; it covers the trials of both runs and the machine's drift from "
    "one run to the next. The axis is logarithmic."
)
_EARLIER_RUNS = " If a machine has several later runs, the chart shows the latest; the data table has all."


def figures(report: Report) -> list[Figure]:
    """Return the forest plot of later runs over the first."""
    comparison = report.comparison
    if comparison is None or not comparison.pairs:
        return []
    latest = [pair for pair in comparison.pairs if pair.first.current]
    earlier = [pair for pair in comparison.pairs if not pair.first.current]
    return [
        forest_plot(
            "comparison",
            f"Compared with run {comparison.baseline}",
            latest or earlier,
            lambda pair: (
                f"{pair.first.run} / {comparison.baseline}: {pair.first.title}",
                f"{pair.first.name} · {pair.first.detail}",
            ),
            ("the later run", f"run {comparison.baseline}"),
            _HOW_TO_READ + (_EARLIER_RUNS if latest and earlier else ""),
            earlier if latest else (),
        )
    ]
