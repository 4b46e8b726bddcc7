"""Where the energy went: components, at rest and above it, the facility's overhead, and what was not measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.figures.base import Figure, layout, number
from reports.figures.rows import case_label, row_axis, row_height
from reports.inert import text
from reports.marks import HATCH, NEUTRAL
from reports.model.grid import Item, grid
from reports.model.parts import Breakdown, breakdown
from reports.model.report import Report
from suite import units

# Components, not frameworks: colours that no framework has. The part at rest is the same colour, paler.
_COLOURS = {"gpu": (0, 158, 115), "package": (204, 121, 167), "cpu": (204, 121, 167)}
_MEMORY, _OTHER = (122, 133, 148), (140, 109, 49)
_REST_OPACITY = 0.45
_STUB = 0.06
_HOW = (
    "Each bar is one case; its parts are shares of the IT energy of an item. Full colour is what the load added, pale "
    "is what the component would have drawn at rest in the same time. To the right of 100 %: what the facility adds by "
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
    rows: list[list[Item]] = []
    for made in found:
        for part in made.parts:
            rows.append([made.view.full, part.component, part.energy_per_item_j, part.rest_per_item_j, part.kind])
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
            xaxis={"title": {"text": "share of IT energy"}, "tickformat": ".0%", "zeroline": False},
            yaxis=row_axis([case_label(made.view) for made in found]),
        ),
        table=grid(("case", "component", "joules per item", "of it at rest", "kind"), rows),
        note=_note(found),
    )


def _bars(component: str, found: Sequence[Breakdown]) -> list[dict[str, Any]]:
    """Two bars a row: above rest, then at rest."""
    above: list[float | None] = []
    rest: list[float | None] = []
    hatched = []
    for made in found:
        part = next((part for part in made.parts if part.component == component), None)
        total = made.energy_per_item_j
        idle = (part.rest_per_item_j or 0.0) if part else 0.0
        above.append(number((part.energy_per_item_j - idle) / total) if part else None)
        rest.append(number(idle / total) if part and part.rest_per_item_j is not None else None)
        hatched.append(HATCH if part and part.kind == "model" else "")
    red_green_blue = _COLOURS.get(component, _MEMORY if component in {"dram", "ram"} else _OTHER)
    colours = [f"rgba({','.join(map(str, red_green_blue))},{alpha})" for alpha in (1, _REST_OPACITY)]
    name = text(component)
    base = {"type": "bar", "orientation": "h", "y": list(range(len(found))), "hovertemplate": "%{x:.1%}"}
    full, pale = ({"color": colour, "pattern": {"shape": hatched}} for colour in colours)
    bars: list[dict[str, Any]] = [{**base, "name": name, "x": above, "marker": full}]
    if any(rest):
        bars.append({**base, "name": f"{name} at rest", "x": rest, "marker": pale})
    return bars


def _overhead(found: Sequence[Breakdown], report: Report) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": "PUE overhead",
        "y": list(range(len(found))),
        "x": [number(report.file(made.view).emissions.pue.value - 1) for made in found],
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
        "hovertext": [text("; ".join(made.missing), 200) for made in found],
        "hoverinfo": "text",
    }


def _finding(found: Sequence[Breakdown]) -> str:
    shares = [
        sum(part.rest_per_item_j for part in made.parts if part.rest_per_item_j is not None) / made.energy_per_item_j
        for made in found
        if all(part.rest_per_item_j is not None for part in made.parts)
    ]
    if not shares:
        unread = {part.component for made in found for part in made.parts if part.rest_per_item_j is None}
        cases, those = units.counted(len(found), "case"), ", ".join(sorted(unread))
        return f"Energy of {cases} by component; what {those} draws at rest is not known."
    if len(shares) == 1:
        return f"{shares[0]:.0%} of the energy is what the machine draws at rest."
    return f"Between {min(shares):.0%} and {max(shares):.0%} of the energy is what the machine draws at rest."


def _note(found: Sequence[Breakdown]) -> str:
    missing = dict.fromkeys(reason for made in found for reason in made.missing)
    return "Not measured: " + "; ".join(missing) + ". Totals are of what was measured." if missing else ""
