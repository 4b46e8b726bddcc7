"""Grams per 1,000 items by case, with marks that say what kind of carbon intensity they rest on."""

from __future__ import annotations

from typing import Any

from joulemark.reports.figures.base import Figure
from joulemark.reports.figures.quantities import HOW, MARKS, dots, with_ranges
from joulemark.reports.marks import INTENSITIES, NEUTRAL
from joulemark.reports.model.report import Report
from joulemark.suite.carbon.accounting import Factors
from joulemark.suite.records import Quantity
from joulemark.suite.results.intensity_kind import IntensityKind

EMISSIONS = "emissions_g_per_1000_items"


def emissions_figure(report: Report) -> Figure | None:
    """Grams per 1,000 items by case, with the range that intensity and PUE may have."""
    how = (
        HOW + MARKS + "A grey bar is the range of the grid's intensity and of the PUE, where the source gives one, "
        "and of an estimate; it moves all cases together and is no part of the interval. All cases of a run share one "
        "grid and PUE, so that they rank as energy does. A mark with a dot in it: the intensity is an estimate or a "
        "year's average, as the legend says."
    )
    found = dots(report, EMISSIONS, "Emissions", "grams CO₂e per 1,000 items", how)
    estimated = any(view.estimated for view in report.shown)
    name = "range of estimate, intensity and PUE" if estimated else "range of intensity and PUE"
    return _with_intensities(with_ranges(found, report, EMISSIONS, name, _ranges), report)


def _ranges(grams: Quantity) -> list[Factors | None]:
    """What grams may be off by beside the interval; a sensor's few per cent stand in the chart of energy."""
    ranges = grams.ranges
    return [ranges.intensity, ranges.pue, ranges.sensor if grams.kind == "model" else None]


def _with_intensities(found: Figure | None, report: Report) -> Figure | None:
    """`found` with marks that say what kind of carbon intensity their grams rest on, and a legend of these."""
    if found is None:
        return None
    kinds = {view.key: report.run(view).basis for view in report.shown}
    for line in found.data:
        if not line["meta"].get("range"):
            shape = line["marker"]["symbol"]
            line["marker"]["symbol"] = [shape + INTENSITIES[kinds[key].key] for key in line["meta"]["cases"]]
    found.data.extend(_kind(kind) for kind in dict.fromkeys(kinds.values()))
    return found


def _kind(kind: IntensityKind) -> dict[str, Any]:
    """An entry of the legend, and no point."""
    more = INTENSITIES[kind.key]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{kind.mark} {kind.label}",
        "x": [None],
        "y": [None],
        "marker": {"symbol": f"circle-open{more}" if more else "circle", "size": 11, "color": NEUTRAL},
        "hoverinfo": "skip",
        "meta": {"basis": kind.key, "cases": []},
    }
