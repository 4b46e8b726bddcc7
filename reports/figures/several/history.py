"""Speed and energy of each case over several runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulemark.reports.data_table import data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.model.history import CaseSeries
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.figure import Figure, layout, numbers
from joulemark.suite.units import counted

_HOW_TO_READ = (
    "Each line is one case on one machine, as a ratio to its first run: speed above, joules per item below. Measured "
    "values, model estimates (open marks) and lower bounds are separate lines. Colour is the framework, dash the mode. "
    "A step that many lines share comes from the machine or its software."
)


def figures(report: Report) -> list[Figure]:
    """Return speed and energy over time, for cases of at least three runs."""
    if not report.history:
        return []
    in_legend: set[str] = set()
    data: list[dict[str, Any]] = []
    for series in report.history:
        name = series.views[0].name
        data.append(_line(series, _speed_ratios(series), "y", "speed", name not in in_legend))
        data += [_energy_line(series, kind) for kind in dict.fromkeys(series.energy_kinds) if kind is not None]
        in_legend.add(name)
    runs = max(len(series.views) for series in report.history)
    figure = Figure(
        id="history",
        title="History",
        summary=f"{counted(len(report.history), 'case')} over up to {counted(runs, 'run')}; {_largest_change(report)}.",
        how_to_read=_HOW_TO_READ,
        data=data,
        layout=layout(
            460,
            xaxis={"type": "date", "anchor": "y2"},
            yaxis={"domain": [0.56, 1], "title": {"text": "speed relative to first run"}, "automargin": True},
            yaxis2={"domain": [0, 0.44], "title": {"text": "energy relative to first run"}, "automargin": True},
        ),
        table=data_table(
            ("case", "run", "started", "items per second", "joules per item", "energy kind"),
            [
                [v.full_name, v.run, at, v.quantity("throughput").value, v.quantity("energy_per_item_j").value, kind]
                for series in report.history
                for v, at, kind in zip(series.views, series.started_at, series.energy_kinds, strict=True)
            ],
        ),
    )
    return [figure]


def _relative_to_first(values: Sequence[float | None]) -> list[float | None]:
    first = next((value for value in values if value), None)
    return [None if value is None or first is None else value / first for value in values]


def _speed_ratios(series: CaseSeries) -> list[float | None]:
    return _relative_to_first([view.quantity("throughput").value for view in series.views])


def _energy_line(series: CaseSeries, kind: str) -> dict[str, Any]:
    """Return the runs whose energy is of this kind, with gaps where it is of another."""
    values = [
        view.quantity("energy_per_item_j").value if view_kind == kind else None
        for view, view_kind in zip(series.views, series.energy_kinds, strict=True)
    ]
    return _line(series, _relative_to_first(values), "y2", kind, False)


def _line(series: CaseSeries, ratios: Sequence[float | None], axis: str, what: str, legend: bool) -> dict[str, Any]:
    marker = series.views[0].marker
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": for_plotly(marker.name),
        "x": list(series.started_at),
        "y": numbers(ratios),
        "yaxis": axis,
        "line": {"color": marker.colour, "dash": marker.dash, "width": 1.5},
        "marker": {"symbol": marker.shape + ("-open" if what.startswith("estimated") else ""), "size": 7},
        "legendgroup": for_plotly(marker.name),
        "showlegend": legend,
        "hovertext": [for_plotly(f"{what}: run {view.run}, {view.full_name}", 200) for view in series.views],
        "hovertemplate": "%{hovertext}: %{y:.3f}<extra></extra>",
    }


def _largest_change(report: Report) -> str:
    """Return the case whose speed changed most between its first and its last run."""
    ratios = [(series, ratio) for series in report.history if (ratio := _speed_ratios(series)[-1])]
    if not ratios:
        return "no case has a speed in both its first and its last run"
    series, ratio = max(ratios, key=lambda entry: abs(entry[1] - 1))
    return f"largest change in speed from first to last run: {series.views[0].full_name}, {ratio - 1:+.1%}"
