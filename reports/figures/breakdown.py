"""Where the energy went: components, at rest and above it, the facility's overhead, and what was not measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, layout, number, numbers
from joulemark.reports.figures.rows import case_label, row_axis, row_height
from joulemark.reports.marks import HATCH, NEUTRAL
from joulemark.reports.model.grid import Item, grid
from joulemark.reports.model.parts import Breakdown, breakdown
from joulemark.reports.model.report import Report
from joulemark.suite import units
from joulemark.suite.energy.components import component_named

_REST_OPACITY = 0.45
_UNKNOWN_OPACITY = 0.2
_STUB = 0.06
_HOW = (
    "Each bar is one case; its parts are shares of the IT energy of an item. Full colour is what the load added, pale "
    "is what the component would have drawn at rest in the same time; a ring is both, where the draw at rest is not "
    "known. To the right of 100 %: what the facility adds by "
    "its PUE, and, hatched and of no meaningful length, what was not measured. Hatched colour is estimated."
)


def breakdown_figure(report: Report) -> Figure | None:
    """Shares of energy by case; None where no case has any."""
    found = [made for view in report.shown if (made := breakdown(view, report.file(view))) is not None]
    if not found:
        return None
    components = list(dict.fromkeys(part.component for made in found for part in made.parts))
    data: list[dict[str, Any]] = []
    for component in components:
        data += _bars(component, found)
    data.append(_overhead(found, report))
    if any(made.missing for made in found):
        data.append(_missing(found))
    ends = [sum(bar["x"][i] or 0.0 for bar in data) for i in range(len(found))]
    rows: list[list[Item]] = []
    for made in found:
        for part in made.parts:
            rows.append([made.view.full, part.component, part.energy_per_item_j, part.idle_per_item_j, part.kind])
        rows += [[made.view.full, reason, None, None, "unavailable"] for reason in made.missing]
    return Figure(
        id="breakdown",
        title="Where the energy goes",
        finding=_finding(found),
        reading=_HOW,
        data=data,
        layout=layout(
            row_height(len(found)),
            barmode="stack",
            bargap=0.35,
            xaxis={
                "title": {"text": "share of IT energy"},
                "tickformat": ".0%",
                "zeroline": False,
                "range": numbers([0, 1.02 * max(ends)]),
            },
            yaxis=row_axis([case_label(made.view) for made in found]),
        ),
        table=grid(("case", "component", "joules per item", "of it at rest", "kind"), rows),
        note=_note(found),
    )


def _bars(component: str, found: Sequence[Breakdown]) -> list[dict[str, Any]]:
    """Up to three bars a row: above rest, at rest, and the whole where what it draws at rest is not known."""
    shares: dict[str, list[float | None]] = {name: [None] * len(found) for name in ("above", "rest", "whole")}
    hatched = [""] * len(found)
    for i, made in enumerate(found):
        part = next((part for part in made.parts if part.component == component), None)
        if part is None:
            continue
        hatched[i] = HATCH if part.kind == "model" else ""
        rest_j = part.idle_per_item_j
        if rest_j is None:
            shares["whole"][i] = number(part.energy_per_item_j / made.energy_per_item_j)
        else:
            shares["above"][i] = number((part.energy_per_item_j - rest_j) / made.energy_per_item_j)
            shares["rest"][i] = number(rest_j / made.energy_per_item_j)
    rgb = ",".join(map(str, component_named(component).rgb))
    name, pattern = for_plotly(component), {"shape": hatched}
    # A ring of the component's colour around little of it: neither what the load added nor what was there at rest.
    ring = {"line": {"color": f"rgb({rgb})", "width": 1.5}, "color": f"rgba({rgb},{_UNKNOWN_OPACITY})"}
    looks: dict[str, tuple[str, dict[str, Any]]] = {
        "above": (name, {"color": f"rgba({rgb},1)"}),
        "rest": (f"{name} at rest", {"color": f"rgba({rgb},{_REST_OPACITY})"}),
        "whole": (f"{name}, of it at rest not known", ring),
    }
    base = {"type": "bar", "orientation": "h", "y": list(range(len(found))), "hovertemplate": "%{x:.1%}"}
    return [
        {**base, "name": looks[key][0], "x": x, "marker": {**looks[key][1], "pattern": pattern}}
        for key, x in shares.items()
        if any(x)
    ]


def _overhead(found: Sequence[Breakdown], report: Report) -> dict[str, Any]:
    above_it = [number(report.file(made.view).emissions.pue.value - 1) for made in found]
    return {
        "type": "bar",
        "orientation": "h",
        "name": "PUE overhead",
        "y": list(range(len(found))),
        "x": above_it,
        "showlegend": any(above_it),
        "marker": {"color": "rgba(0,0,0,0)", "line": {"color": NEUTRAL, "width": 1.5}},
        "hovertemplate": "%{x:.1%}",
        "meta": {"pue": True, "cases": [made.view.key for made in found]},
    }


def _missing(found: Sequence[Breakdown]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": "not measured",
        "y": list(range(len(found))),
        "x": [_STUB * len(made.missing) if made.missing else None for made in found],
        "marker": {
            "color": "rgba(0,0,0,0)",
            "pattern": {"shape": "x", "fgcolor": NEUTRAL, "size": 7},
            "line": {"color": NEUTRAL, "width": 1},
        },
        "hovertext": [for_plotly("; ".join(made.missing), 200) for made in found],
        "hoverinfo": "text",
    }


def _finding(found: Sequence[Breakdown]) -> str:
    shares = [
        sum(part.idle_per_item_j for part in made.parts if part.idle_per_item_j is not None) / made.energy_per_item_j
        for made in found
        if all(part.idle_per_item_j is not None for part in made.parts)
    ]
    if not shares:
        unread = {part.component for made in found for part in made.parts if part.idle_per_item_j is None}
        what = f"{' and '.join(sorted(unread))} draw{'s' if len(unread) == 1 else ''}"
        return f"Energy of {units.counted(len(found), 'case')} by component; what {what} at rest is not known."
    guessed = any(part.kind == "model" for made in found for part in made.parts)
    what = f"of the {'estimated ' if guessed else ''}energy is what the machine draws at rest."
    if len(shares) == 1:
        return f"{shares[0]:.0%} {what}"
    return f"Between {min(shares):.0%} and {max(shares):.0%} {what}"


def _note(found: Sequence[Breakdown]) -> str:
    missing = dict.fromkeys(reason for made in found for reason in made.missing)
    return "Not measured: " + "; ".join(missing) + ". Totals are of what was measured." if missing else ""
