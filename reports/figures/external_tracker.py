"""Energy of the whole run by an external tracker, beside Joulemark's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from joulemark.reports.data_table import TableValue, data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import ACCENT, HATCH, NEUTRAL
from joulemark.reports.model.report import Report
from joulemark.reports.model.runs import RunView
from joulemark.reports.plotting.case_rows import row_axis, row_height
from joulemark.reports.plotting.figure import Figure, layout, number
from joulemark.suite import units
from joulemark.suite.energy.attribution import weakest
from joulemark.suite.energy.components import component_named
from joulemark.suite.records import EnergyReading, SecondOpinion

_HOW_TO_READ = (
    "Joules of each component over the same part of the run, from Joulemark's sensors and from the other tool, which "
    "ran in a process of its own at the same time. Hatched bars are model estimates. A missing bar means no value, not "
    "zero."
)


def figures(report: Report) -> list[Figure]:
    """Return one figure for each run that has values of an external tracker."""
    return [
        _figure(run, run.file.second_opinion, len(report.runs) > 1)
        for run in report.runs
        if run.file.second_opinion is not None and run.file.second_opinion.reason is None
    ]


def _figure(run: RunView, tracker: SecondOpinion, several_runs: bool) -> Figure:
    own: dict[str, list[EnergyReading]] = {}
    for reading in tracker.ours:
        if reading.energy_j is not None:
            own.setdefault(component_named(reading.component).hardware or reading.component, []).append(reading)
    names = list(dict.fromkeys([*tracker.energy_j, *own]))
    own_j = {name: sum(reading.energy_j or 0.0 for reading in readings) for name, readings in own.items()}
    modelled = [name in own and weakest(reading.kind for reading in own[name]) == "model" for name in names]
    methods = [tracker.methods.get(name, "") for name in names]
    tool = f"{tracker.tool} {tracker.version}"
    rows: list[list[TableValue]] = [
        [name, own_j.get(name), tracker.energy_j.get(name), method or "not reported"]
        for name, method in zip(names, methods, strict=True)
    ]
    return Figure(
        id=f"tracker-{run.label.lower()}",
        title=f"Joulemark and {tool}" + (f", run {run.label}" if several_runs else ""),
        summary=_summary(tool, own_j, tracker),
        how_to_read=_HOW_TO_READ,
        data=[
            _bars("Joulemark", own_j, names, ACCENT, [HATCH if is_model else "" for is_model in modelled]),
            _bars(tool, tracker.energy_j, names, NEUTRAL, [_hatch(method) for method in methods]),
        ],
        layout=layout(
            row_height(len(names), 60),
            barmode="group",
            bargap=0.3,
            xaxis={"title": {"text": "joules"}, "rangemode": "tozero"},
            yaxis=row_axis([for_plotly(name) for name in names]),
        ),
        table=data_table(("component", "Joulemark, J", f"{tool}, J", f"method of {tracker.tool}"), rows),
        footnote=" ".join(tracker.differences),
    )


def _bars(
    name: str, joules: Mapping[str, float | None], components: Sequence[str], colour: str, hatches: Sequence[str]
) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": for_plotly(name),
        "x": [number(joules.get(component)) for component in components],
        "y": list(range(len(components))),
        "marker": {"color": colour, "pattern": {"shape": list(hatches)}},
        "hovertemplate": "%{x:.4s}J",
    }


def _hatch(method: str) -> str:
    return HATCH if any(word in method.lower() for word in ("model", "tdp", "constant", "estimate")) else ""


def _summary(tool: str, own_j: Mapping[str, float], tracker: SecondOpinion) -> str:
    common = [name for name, value in tracker.energy_j.items() if value is not None and name in own_j]
    length = units.duration(tracker.window_s[1] - tracker.window_s[0])
    if not common:
        return f"Over {length}, Joulemark and {tool} have no component in common."
    tracker_sum_j = sum(tracker.energy_j[name] or 0.0 for name in common)
    own_sum_j = sum(own_j[name] for name in common)
    ratio = f", {tracker_sum_j / own_sum_j:.2f} times as much." if own_sum_j else "."
    return (
        f"Over {length}, for {' and '.join(common)}: Joulemark {units.quantity(own_sum_j, 'J')}, "
        f"{tool} {units.quantity(tracker_sum_j, 'J')}{ratio}"
    )
