"""Grams per 1,000 items by case, with marks that show the kind of carbon intensity they are based on."""

from __future__ import annotations

from typing import Any

from joulemark.reports.markers import INTENSITY_SUFFIXES, NEUTRAL
from joulemark.reports.model.report import Report
from joulemark.reports.model.whatif import EMISSIONS
from joulemark.reports.plotting.dot_plot import MARKS_TEXT, ROWS_TEXT, dot_plot, with_ranges
from joulemark.reports.plotting.figure import Figure
from joulemark.suite.carbon.accounting import Factors
from joulemark.suite.records import Quantity
from joulemark.suite.results.intensity_kind import IntensityKind

_HOW_TO_READ = (
    ROWS_TEXT + MARKS_TEXT + "A grey bar is the range of the grid's carbon intensity and of the PUE, where the source "
    "gives one, and of an estimate; it shifts all cases together and is not part of the interval. All cases of a run "
    "share one grid and PUE, so they rank as by energy. A dot in a mark means that the intensity is an estimate or a "
    "yearly average, as the legend says."
)


def figures(report: Report) -> list[Figure]:
    """Return emissions by case, with the range of intensity and PUE."""
    figure = dot_plot(report, EMISSIONS, "Emissions", "grams CO₂e per 1,000 items", _HOW_TO_READ)
    estimated = any(view.estimated for view in report.shown)
    name = "range of estimate, intensity and PUE" if estimated else "range of intensity and PUE"
    figure = with_ranges(figure, report, EMISSIONS, name, _ranges)
    if figure is None:
        return []
    kinds = {view.key: report.run(view).intensity_kind for view in report.shown}
    for trace in figure.data:
        if not trace["meta"].get("range"):
            shape = trace["marker"]["symbol"]
            trace["marker"]["symbol"] = [shape + INTENSITY_SUFFIXES[kinds[key].key] for key in trace["meta"]["cases"]]
    figure.data.extend(_legend_entry(kind) for kind in dict.fromkeys(kinds.values()))
    return [figure]


def _ranges(emissions: Quantity) -> list[Factors | None]:
    """Return the ranges beside the interval; a sensor's few per cent are shown in the chart of energy."""
    ranges = emissions.ranges
    return [ranges.intensity, ranges.pue, ranges.sensor if emissions.kind == "model" else None]


def _legend_entry(kind: IntensityKind) -> dict[str, Any]:
    """Return a trace with an entry in the legend and no point."""
    suffix = INTENSITY_SUFFIXES[kind.key]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{kind.mark} {kind.label}",
        "x": [None],
        "y": [None],
        "marker": {"symbol": f"circle-open{suffix}" if suffix else "circle", "size": 11, "color": NEUTRAL},
        "hoverinfo": "skip",
        "meta": {"intensity_kind": kind.key, "cases": []},
    }
