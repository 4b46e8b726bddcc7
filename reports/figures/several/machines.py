"""Many machines: small multiples, a panel for each task that all of them share, in the order of the ranking."""

from __future__ import annotations

from typing import Any

from joulemark.reports.data_table import data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.model.ranking import Ranking
from joulemark.reports.model.report import Report
from joulemark.reports.plotting.axes import ratio_axis
from joulemark.reports.plotting.case_rows import row_axis, row_height, two_line_label
from joulemark.reports.plotting.figure import Figure, layout, numbers
from joulemark.reports.plotting.forest_plot import EFFICIENCY, SPEED

MAX_PANELS = 6
_GAP = 0.03
_MARKS = (SPEED, EFFICIENCY)
_HOW_TO_READ = (
    "Each row is a machine, the fastest on top; each panel is one task that all of them measured. A pink diamond is "
    "its speed, a grey hexagon its items per joule, over those of the machine that is named in the title: further "
    "right is better. Intervals are in the ranking and in the comparison with the first run. The axes are logarithmic."
)


def figures(report: Report) -> list[Figure]:
    """Return one figure for each ranking."""
    return [_figure(f"machines-{i}", ranking) for i, ranking in enumerate(report.rankings)]


def _figure(id: str, ranking: Ranking) -> Figure:
    machines, tasks = ranking.machines, ranking.basket.tasks[:MAX_PANELS]
    width = (1 - _GAP * (len(tasks) - 1)) / len(tasks)
    data: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for i, task in enumerate(tasks):
        panel = "" if i == 0 else str(i + 1)
        values = [ratio for machine in machines for ratio in machine.ratios[task]]
        axis = ratio_axis(" ".join(task), values, ())
        domain = numbers([i * (width + _GAP), i * (width + _GAP) + width])
        axes[f"xaxis{panel}"] = {**axis, **_fewer_ticks(axis), "domain": domain}
        for which, (name, colour, shape) in enumerate(_MARKS):
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": name,
                    "legendgroup": name,
                    "showlegend": i == 0,
                    "xaxis": f"x{panel}",
                    "x": numbers(machine.ratios[task][which] for machine in machines),
                    "y": list(range(len(machines))),
                    "marker": {"symbol": shape, "size": 8, "color": colour},
                    "hovertext": [for_plotly(f"{machine.name}, run {machine.run}") for machine in machines],
                    "hovertemplate": "%{hovertext}: %{x:.3g}<extra></extra>",
                }
            )
    first, last = machines[0], machines[-1]
    return Figure(
        id=id,
        title=f"{first.system}: each machine over {ranking.first}",
        summary=f"{len(machines)} machines in {first.system}; fastest {first.name}, slowest {last.name}.",
        how_to_read=_HOW_TO_READ,
        data=data,
        layout=layout(
            row_height(len(machines), 30),
            yaxis=row_axis([two_line_label(machine.name, f"run {machine.run}") for machine in machines]),
            **axes,
        ),
        table=data_table(
            ("machine", "run", *(f"{' '.join(task)}, {name}" for task in ranking.basket.tasks for name, *_ in _MARKS)),
            [
                (machine.name, machine.run, *(r for task in ranking.basket.tasks for r in machine.ratios[task]))
                for machine in machines
            ],
        ),
    )


def _fewer_ticks(axis: dict[str, Any]) -> dict[str, Any]:
    """Return about four of an axis's ticks, 1 among them: a panel is narrow."""
    values = axis.get("tickvals", [])
    step = -(-len(values) // 4) or 1
    start = values.index(1.0) % step if 1.0 in values else 0
    return {name: axis[name][start::step] for name in ("tickvals", "ticktext") if name in axis}
