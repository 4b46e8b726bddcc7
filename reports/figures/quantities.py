"""One column of the table as a dot with its interval a case: throughput, energy, emissions, memory."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from reports.figures.base import Figure, intervals, layout, listed, log_axis, named, numbers
from reports.figures.rows import group_label, places, row_axis, row_height
from reports.inert import text
from reports.marks import INTENSITIES, NEUTRAL, Mark
from reports.model.cases import CaseView, Group
from reports.model.grid import grid
from reports.model.report import Report
from suite.carbon.accounting import Factors, combined
from suite.results.basis import Basis
from suite.results.records import Ranges
from suite.units import counted

HOW = (
    "Each row is one workload on one device; each mark one framework and mode. The line through a mark is the 95 % "
    "interval between trials (none at n = 1). The axis is logarithmic: equal distances are equal ratios. "
)
MARKS = "Filled marks are measured; open ones are estimated by a model of load and nominal power. "
_APART = 0.3
"""Distance of two marks in a row, in rows."""
EMISSIONS = "emissions_g_per_1000_items"


def throughput_figure(report: Report) -> Figure | None:
    """Items a second by case."""
    return _dots(report, "throughput", "Throughput", "items per second", HOW + "Further right is faster.", "highest")


def energy_figure(report: Report) -> Figure | None:
    """Gross joules an item by case, with the range that the sensors may be off by."""
    how = (
        HOW + MARKS + "A grey bar is the range of the sensor's own error, or of the estimate's; it is no part of the "
        "interval, and common to all cases on one device. Further left is less energy."
    )
    found = _dots(report, "energy_per_item_j", "Energy per item", "joules per item", how, "lowest")
    return _with_ranges(found, report, "energy_per_item_j", "range of the sensor", lambda ranges: [ranges.sensor])


def memory_figure(report: Report) -> Figure | None:
    """Peak memory by case."""
    how = (
        "The largest peak of any trial: on a GPU of the framework's allocator in the window, on the CPU of the whole "
        "process, the framework's own code included. The axis is logarithmic. Further left is less memory."
    )
    return _dots(report, "peak_memory_bytes", "Peak memory", "bytes", how, "lowest", id="memory")


def emissions_figure(report: Report) -> Figure | None:
    """Grams per 1,000 items by case, with the range that intensity and PUE may have."""
    how = (
        HOW + MARKS + "A grey bar is the range of the grid's intensity and of the PUE, where the source gives one; it "
        "moves all cases together and is no part of the interval. All cases of a run share one grid and PUE, so that "
        "they rank as energy does. A mark with a dot in it: the intensity is an estimate or a year's average; pale "
        "besides: the world's, since no place was given."
    )
    found = _dots(report, EMISSIONS, "Emissions", "grams CO₂e per 1,000 items", how, "lowest")
    ranged = _with_ranges(
        found, report, EMISSIONS, "range of intensity and PUE", lambda ranges: [ranges.intensity, ranges.pue]
    )
    return _with_intensities(ranged, report)


def _with_intensities(found: Figure | None, report: Report) -> Figure | None:
    """`found` with marks that say what kind of carbon intensity their grams rest on, and a legend of these."""
    if found is None:
        return None
    kinds = {view.key: report.run(view).basis for view in report.shown}
    for line in found.data:
        if not line["meta"].get("range"):
            looks = [INTENSITIES[kinds[key].key] for key in line["meta"]["cases"]]
            line["marker"]["symbol"] = [line["marker"]["symbol"] + more for more, _ in looks]
            line["marker"]["opacity"] = [opacity for _, opacity in looks]
    found.data.extend(_kind(kind) for kind in dict.fromkeys(kinds.values()))
    return found


def _kind(kind: Basis) -> dict[str, Any]:
    """An entry of the legend, and no point."""
    more, opacity = INTENSITIES[kind.key]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{kind.mark} {kind.words}",
        "x": [None],
        "y": [None],
        "marker": {"symbol": f"circle{more}", "size": 11, "color": NEUTRAL, "opacity": opacity},
        "hoverinfo": "skip",
        "meta": {"basis": kind.key, "cases": []},
    }


def _with_ranges(
    found: Figure | None,
    report: Report,
    quantity: str,
    name: str,
    choose: Callable[[Ranges], list[Factors | None]],
) -> Figure | None:
    """`found` with a thick bar behind each mark from the lowest to the highest that the chosen ranges allow."""
    if found is None:
        return None
    at = {key: y for line in found.data for key, y in zip(line["meta"]["cases"], line["y"], strict=True)}
    x: list[float | None] = []
    keys = []
    for view in report.shown:
        value, ranges = view.quantity(quantity).value, view.quantity(quantity).ranges
        low, high = combined(*choose(ranges))
        if value is not None and high > low:
            x += [value * low, value * high, None]
            keys.append(view.key)
    if keys:
        found.data.insert(0, _bar(name, x, keys, [at[key] for key in keys]))
        values = [value for line in found.data[1:] for value in line["x"]]
        found.layout["xaxis"] = log_axis(
            found.layout["xaxis"]["title"]["text"], values, [*x, *_bounds(report, quantity)]
        )
    return found


def _bounds(report: Report, quantity: str) -> list[float | None]:
    """Ends of all intervals of a quantity."""
    return [end for view in report.shown for end in (view.quantity(quantity).low, view.quantity(quantity).high)]


def _bar(name: str, x: list[float | None], keys: list[str], at: list[float]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": numbers(x),
        "y": [y for place in at for y in (place, place, None)],
        "line": {"width": 12, "color": NEUTRAL},
        "opacity": 0.3,
        "hoverinfo": "skip",
        "meta": {"range": True, "cases": keys},
    }


def _dots(report: Report, name: str, title: str, axis: str, reading: str, best: str, id: str = "") -> Figure | None:
    """The figure of the column `name`; None where no case has a value in it."""
    views = report.shown
    shown = [view for view in views if view.row.cells[name].value is not None]
    if not shown:
        return None
    series: dict[tuple[Mark, bool], list[CaseView]] = defaultdict(list)
    for view in shown:
        series[view.mark, view.row.cells[name].kind == "model"].append(view)
    rows: dict[Group, list[CaseView]] = defaultdict(list)
    for view in shown:
        rows[view.group].append(view)
    middles, end = places([len(of) for of in rows.values()])
    y = {
        view.key: middle + (i - (len(of) - 1) / 2) * _APART
        for middle, of in zip(middles, rows.values(), strict=True)
        for i, view in enumerate(of)
    }
    data = [
        _series(of, mark, estimated, name, [y[view.key] for view in of]) for (mark, estimated), of in series.items()
    ]
    cells = [view.row.cells[name] for view in shown]
    missing = [f"{v.full}: {v.row.cells[name].reason}" for v in views if v.row.cells[name].value is None]
    return Figure(
        id=id or name.partition("_")[0],
        title=title,
        finding=_finding(shown, name, title, best),
        reading=reading,
        data=data,
        layout=layout(
            row_height(math.ceil(end)),
            xaxis=log_axis(axis, [c.value for c in cells], [end for c in cells for end in (c.low, c.high)]),
            yaxis=row_axis([group_label(of[0]) for of in rows.values()], tickvals=numbers(middles), range=[end, 0]),
        ),
        table=grid(("case", axis, "low", "high", "n", "kind"), [[v.full, *_raw(v, name)] for v in views], column=name),
        note=listed("Not measured", missing),
    )


def _series(views: Sequence[CaseView], mark: Mark, estimated: bool, name: str, y: list[float]) -> dict[str, Any]:
    cells = [view.row.cells[name] for view in views]
    found = {
        "type": "scatter",
        "mode": "markers",
        "name": text(mark.name) + (" (estimated)" if estimated else ""),
        "x": numbers(cell.value for cell in cells),
        "y": numbers(y),
        "error_x": intervals((cell.value, cell.low, cell.high) for cell in cells),
        "marker": {
            "symbol": mark.shape + ("-open" if estimated else ""),
            "size": 11,
            "color": mark.colour,
            "line": {"width": 2 if estimated else 0},
        },
    }
    return found | named([view.key for view in views], "%{x:.4s}")


def _raw(view: CaseView, name: str) -> tuple[float | str | int | None, ...]:
    cell = view.row.cells[name]
    return cell.value, cell.low, cell.high, cell.n, cell.kind or "clock"


def _finding(shown: Sequence[CaseView], name: str, title: str, best: str) -> str:
    pick = max if best == "highest" else min
    view = pick(shown, key=lambda v: v.row.cells[name].value or 0.0)
    return f"{title} of {counted(len(shown), 'case')}; {best}: {view.full}."
