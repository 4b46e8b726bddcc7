"""Another tool's figures for the whole run beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, layout, number
from joulemark.reports.figures.rows import row_axis, row_height
from joulemark.reports.marks import HATCH, NEUTRAL
from joulemark.reports.model.grid import Item, grid
from joulemark.reports.model.report import Report
from joulemark.reports.model.runs import RunView
from joulemark.suite import units
from joulemark.suite.energy.attribution import weakest
from joulemark.suite.energy.components import component_named
from joulemark.suite.records import EnergyReading, SecondOpinion

_HOW = (
    "Joules of each component over the same stretch of the run, by our sensors and by the other tool, which ran in a "
    "process of its own beside them. Hatched is a model's figure. No bar is no figure, which is not zero."
)
_OURS = "#009E73"



def opinion_figures(report: Report) -> list[Figure]:
    """One figure a run that has a second opinion."""
    return [
        _figure(run, run.file.second_opinion, len(report.runs) > 1)
        for run in report.runs
        if run.file.second_opinion is not None and run.file.second_opinion.reason is None
    ]


def _figure(run: RunView, said: SecondOpinion, several: bool) -> Figure:
    ours: dict[str, list[EnergyReading]] = {}
    for reading in said.ours:
        if reading.energy_j is not None:
            ours.setdefault(component_named(reading.component).hardware or reading.component, []).append(reading)
    names = list(dict.fromkeys([*said.energy_j, *ours]))
    our_j = {name: sum(reading.energy_j or 0.0 for reading in readings) for name, readings in ours.items()}
    models = [name in ours and weakest(reading.kind for reading in ours[name]) == "model" for name in names]
    tool = f"{said.tool} {said.version}"
    rows: list[list[Item]] = [
        [name, our_j.get(name), said.energy_j.get(name), said.methods.get(name, "not told")] for name in names
    ]
    return Figure(
        id=f"opinion-{run.label.lower()}",
        title=f"{tool} beside ours" + (f", run {run.label}" if several else ""),
        finding=_finding(tool, our_j, said),
        reading=_HOW,
        data=[
            _bars("ours", our_j, names, _OURS, [HATCH if model else "" for model in models]),
            _bars(tool, said.energy_j, names, NEUTRAL, [_hatch(said.methods.get(name, "")) for name in names]),
        ],
        layout=layout(
            row_height(len(names), 60),
            barmode="group",
            bargap=0.3,
            xaxis={"title": {"text": "joules"}, "rangemode": "tozero"},
            yaxis=row_axis([for_plotly(name) for name in names]),
        ),
        table=grid(("component", "ours, J", f"{tool}, J", "how it came by it"), rows),
        note=" ".join(said.differences),
    )


def _bars(
    name: str, joules: Mapping[str, float | None], names: list[str], colour: str, shapes: list[str]
) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": for_plotly(name),
        "x": [number(joules.get(component)) for component in names],
        "y": list(range(len(names))),
        "marker": {"color": colour, "pattern": {"shape": shapes}},
        "hovertemplate": "%{x:.4s}J",
    }


def _hatch(method: str) -> str:
    return HATCH if any(word in method.lower() for word in ("model", "tdp", "constant", "estimate")) else ""


def _finding(tool: str, ours: Mapping[str, float], said: SecondOpinion) -> str:
    both = [name for name, value in said.energy_j.items() if value is not None and name in ours]
    length = units.duration(said.window_s[1] - said.window_s[0])
    if not both:
        return f"Over {length}, {tool} and our sensors have no component in common."
    theirs_j = sum(said.energy_j[name] or 0.0 for name in both)
    ours_j = sum(ours[name] for name in both)
    parts = " and ".join(both)
    return f"Over {length}, for {parts}: ours {units.quantity(ours_j, 'J')}, {tool} {units.quantity(theirs_j, 'J')}" + (
        f", {theirs_j / ours_j:.2f} times ours." if ours_j else "."
    )
