"""Framework over framework: speed and efficiency of every pair on the same task."""

from __future__ import annotations

from joulemark.reports.model.report import Report
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.plotting.forest_plot import HOW_TO_READ, forest_plot


def figures(report: Report) -> list[Figure]:
    """Return the forest plot of all pairs of frameworks."""
    if not report.pairs:
        return []
    names = {(pair.first.name.partition(" ")[0], pair.second.name.partition(" ")[0]) for pair in report.pairs}
    one_pair = len(names) == 1
    sides = next(iter(names)) if one_pair else ("the first named", "the second")
    return [
        forest_plot(
            "ratios",
            "{} over {}".format(*sides) if one_pair else "Framework over framework",
            report.pairs,
            lambda pair: (
                pair.first.title,
                f"{pair.first.name} / {pair.second.name}" + (f" · {pair.first.detail}" if pair.first.detail else ""),
            ),
            sides,
            HOW_TO_READ + "Eager, graph and compiled modes are different kinds of execution; rows that mix them "
            "compare each framework in its default mode.",
        )
    ]
