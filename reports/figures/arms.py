"""Arm B over arm A of A/B runs."""

from __future__ import annotations

from joulemark.reports.model.report import Report
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.plotting.forest_plot import HOW_TO_READ, forest_plot


def figures(report: Report) -> list[Figure]:
    """Return the forest plot of arm B over arm A."""
    if not report.arms:
        return []
    return [
        forest_plot(
            "arms",
            "Arm B over arm A",
            report.arms,
            lambda pair: (pair.first.title, f"{pair.first.name} / {pair.second.name} · {pair.first.detail}"),
            ("arm B", "arm A"),
            HOW_TO_READ + "Both arms were measured turn by turn in one run, so that the machine's drift affects both "
            "alike.",
        )
    ]
