"""Where the energy goes: components, idle and above idle, the facility's overhead, and what was not measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulemark.reports.data_table import DataTable, TableValue, data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import HATCH, NEUTRAL
from joulemark.reports.model.breakdown import Breakdown, breakdown
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.case_rows import case_label, row_axis, row_height
from joulemark.reports.plotting.figure import Figure, layout, number, numbers
from joulemark.suite import units
from joulemark.suite.energy.components import component_named

_IDLE_OPACITY = 0.45
_UNKNOWN_OPACITY = 0.2
_MISSING_WIDTH = 0.06
_HOW_TO_READ = (
    "Each bar is one case; its segments are shares of the IT energy of an item. Full colour is what the load added; "
    "pale is what the component would have used idle in the same time; an outlined segment is both, where idle power "
    "is unknown. To the right of 100 %: what the facility adds through its PUE and, hatched and of no meaningful "
    "length, what was not measured. Hatched colour is estimated."
)


def figures(report: Report) -> list[Figure]:
    """Return the shares of energy by case."""
    bars = [bar for view in report.shown if (bar := breakdown(view, report.file(view))) is not None]
    if not bars:
        return []
    data: list[dict[str, Any]] = []
    for component in dict.fromkeys(part.component for bar in bars for part in bar.parts):
        data += _component_traces(component, bars)
    data.append(_overhead_trace(bars, report))
    if any(bar.missing for bar in bars):
        data.append(_missing_trace(bars))
    ends = [sum(trace["x"][i] or 0.0 for trace in data) for i in range(len(bars))]
    figure = Figure(
        id="breakdown",
        title="Where the energy goes",
        summary=_summary(bars),
        how_to_read=_HOW_TO_READ,
        data=data,
        layout=layout(
            row_height(len(bars)),
            barmode="stack",
            bargap=0.35,
            xaxis={
                "title": {"text": "share of IT energy"},
                "tickformat": ".0%",
                "zeroline": False,
                "range": numbers([0, 1.02 * max(ends)]),
            },
            yaxis=row_axis([case_label(bar.view) for bar in bars]),
        ),
        table=_table(bars),
        footnote=_footnote(bars),
    )
    return [figure]


def _table(bars: Sequence[Breakdown]) -> DataTable:
    rows: list[list[TableValue]] = []
    for bar in bars:
        for part in bar.parts:
            values = part.energy_per_item_j, part.idle_per_item_j
            rows.append([bar.view.full_name, part.component, *values, part.kind])
        rows += [[bar.view.full_name, reason, None, None, "unavailable"] for reason in bar.missing]
    return data_table(("case", "component", "joules per item", "of which idle", "kind"), rows)


def _component_traces(component: str, bars: Sequence[Breakdown]) -> list[dict[str, Any]]:
    """Return up to three traces: above idle, idle, and the whole where idle power is unknown."""
    shares: dict[str, list[float | None]] = {name: [None] * len(bars) for name in ("above", "idle", "whole")}
    hatches = [""] * len(bars)
    for i, bar in enumerate(bars):
        part = next((part for part in bar.parts if part.component == component), None)
        if part is None:
            continue
        hatches[i] = HATCH if part.kind == "model" else ""
        idle_j = part.idle_per_item_j
        if idle_j is None:
            shares["whole"][i] = number(part.energy_per_item_j / bar.energy_per_item_j)
        else:
            shares["above"][i] = number((part.energy_per_item_j - idle_j) / bar.energy_per_item_j)
            shares["idle"][i] = number(idle_j / bar.energy_per_item_j)
    # Components, not frameworks: colours that no framework has. The idle share has the same colour, paler.
    rgb = ",".join(map(str, component_named(component).rgb))
    name, pattern = for_plotly(component), {"shape": hatches}
    # An outline in the component's colour: neither what the load added nor idle energy.
    outline = {"line": {"color": f"rgb({rgb})", "width": 1.5}, "color": f"rgba({rgb},{_UNKNOWN_OPACITY})"}
    styles: dict[str, tuple[str, dict[str, Any]]] = {
        "above": (name, {"color": f"rgba({rgb},1)"}),
        "idle": (f"{name}, idle", {"color": f"rgba({rgb},{_IDLE_OPACITY})"}),
        "whole": (f"{name}, idle share unknown", outline),
    }
    base = {"type": "bar", "orientation": "h", "y": list(range(len(bars))), "hovertemplate": "%{x:.1%}"}
    return [
        {**base, "name": styles[key][0], "x": x, "marker": {**styles[key][1], "pattern": pattern}}
        for key, x in shares.items()
        if any(x)
    ]


def _overhead_trace(bars: Sequence[Breakdown], report: Report) -> dict[str, Any]:
    overheads = [number(report.file(bar.view).emissions.pue.value - 1) for bar in bars]
    return {
        "type": "bar",
        "orientation": "h",
        "name": "PUE overhead",
        "y": list(range(len(bars))),
        "x": overheads,
        "showlegend": any(overheads),
        "marker": {"color": "rgba(0,0,0,0)", "line": {"color": NEUTRAL, "width": 1.5}},
        "hovertemplate": "%{x:.1%}",
        "meta": {"pue": True, "cases": [bar.view.key for bar in bars]},
    }


def _missing_trace(bars: Sequence[Breakdown]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": "not measured",
        "y": list(range(len(bars))),
        "x": [_MISSING_WIDTH * len(bar.missing) if bar.missing else None for bar in bars],
        "marker": {
            "color": "rgba(0,0,0,0)",
            "pattern": {"shape": "x", "fgcolor": NEUTRAL, "size": 7},
            "line": {"color": NEUTRAL, "width": 1},
        },
        "hovertext": [for_plotly("; ".join(bar.missing), 200) for bar in bars],
        "hoverinfo": "text",
    }


def _summary(bars: Sequence[Breakdown]) -> str:
    idle_shares = [
        sum(part.idle_per_item_j for part in bar.parts if part.idle_per_item_j is not None) / bar.energy_per_item_j
        for bar in bars
        if all(part.idle_per_item_j is not None for part in bar.parts)
    ]
    if not idle_shares:
        unknown = sorted({part.component for bar in bars for part in bar.parts if part.idle_per_item_j is None})
        cases = units.counted(len(bars), "case")
        return f"Energy of {cases} by component; the idle power of {' and '.join(unknown)} is unknown."
    estimated = any(part.kind == "model" for bar in bars for part in bar.parts)
    what = f"of the {'estimated ' if estimated else ''}energy is what the machine would have used idle."
    if len(idle_shares) == 1:
        return f"{idle_shares[0]:.0%} {what}"
    return f"Between {min(idle_shares):.0%} and {max(idle_shares):.0%} {what}"


def _footnote(bars: Sequence[Breakdown]) -> str:
    missing = dict.fromkeys(reason for bar in bars for reason in bar.missing)
    return "Not measured: " + "; ".join(missing) + ". Totals cover what was measured." if missing else ""
