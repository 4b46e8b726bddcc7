"""The settings of a sweep: time against joules of an item, the Pareto front, and the sets of the best settings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joulemark.reports.data_table import data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import ACCENT, NEUTRAL, marker
from joulemark.reports.model.report import Report
from joulemark.reports.model.sweep import finding, sweep_title
from joulemark.reports.plotting.axes import log_axis
from joulemark.reports.plotting.equal_power_lines import plot_position
from joulemark.reports.plotting.figure import Figure, error_bars, layout, listed, number, numbers
from joulemark.reports.plotting.label_placement import LabelPlacer, beside
from joulemark.suite.records import RunFile
from joulemark.suite.stats.intervals import GeometricMean
from joulemark.suite.stats.sweep.analysis import Goal, TaskSweep, analyse
from joulemark.suite.stats.sweep.points import Point
from joulemark.suite.stats.sweep.selection import pareto_front, time_margin
from joulemark.suite.stats.sweep.sentences import (
    choice_sentences,
    goal_marks,
    goal_text,
    host_sentence,
    plateau_sentence,
    settings_text,
)

_HOW_TO_READ = (
    "Left is faster, down is less energy: the best corner is at the lower left. Joined marks are the Pareto front: no "
    "other setting takes less time and fewer joules; smaller marks are off it. Open marks are estimated joules. A ring "
    "is around each setting that may be the best by joules, a square around each that may have the least energy-delay "
    "product: settings with the same shape around them cannot be told apart in these rounds, and hold the true best "
    "one in 95 % of sweeps. Right of the dotted line, a setting is slower than the default by more than allowed. Both "
    "axes are logarithmic."
)
_RINGS: Final[dict[Goal, tuple[str, str]]] = {
    "joules": ("circle-open", ACCENT),
    "node_joules": ("circle-open", ACCENT),
    "delay_product": ("square-open", "#CC79A7"),
}
_MAX_LABELLED = 16


@dataclass(frozen=True)
class _Axis:
    """Which energy a figure shows."""

    goals: tuple[Goal, ...]
    title: str
    id: str
    energy: Callable[[Point], GeometricMean | None]

    def is_estimated(self, point: Point) -> bool:
        """Whether the energy of a point comes from a model; that of the whole machine never does."""
        return "joules" in self.goals and point.is_estimated


_CHARGED = _Axis(("joules", "delay_product"), "joules per {item}", "sweep", lambda point: point.energy_j)
_NODE = _Axis(("node_joules",), "joules per {item}, whole machine", "sweep-machine", lambda point: point.node_energy_j)


def figures(report: Report) -> list[Figure]:
    """Return a figure for each task of each sweep, and one of the whole machine where its watts are known."""
    drawn: list[Figure] = []
    for run in report.runs:
        for sweep in analyse(run.file):
            for axis in (_CHARGED, _NODE):
                if len([point for point in sweep.points if axis.energy(point) is not None]) > 1:
                    drawn.append(_figure(f"{axis.id}-{len(drawn)}", sweep, axis, run.file))
    return drawn


def _figure(id: str, sweep: TaskSweep, axis: _Axis, run_file: RunFile) -> Figure:
    points = [point for point in sweep.points if axis.energy(point) is not None]
    case, slowdown = points[0].case, run_file.settings.slowdown
    times, energies = [_time(point) for point in points], [_known(axis.energy(point)) for point in points]
    x_axis = log_axis(f"seconds per {case.item}", [t[0] for t in times], [end for t in times for end in t[1:]], 0.1)
    estimated = any(map(axis.is_estimated, points))
    title = f"{'estimated ' if estimated else ''}{axis.title.format(item=case.item)}"
    y_axis = log_axis(title, [e.value for e in energies], [end for e in energies for end in (e.low, e.high)], 0.1)
    front = pareto_front([(t[0] or 0.0, e.value) for t, e in zip(times, energies, strict=True)])
    limit_s = (
        math.exp(math.log(_time(default)[0] or 1.0) + time_margin(slowdown)) if (default := sweep.default) else None
    )
    labels = _labels(points, [(t[0] or 1.0, e.value) for t, e in zip(times, energies, strict=True)], x_axis, y_axis)
    return Figure(
        id=id,
        title=sweep_title(sweep),
        summary=f"{sweep_title(sweep)}: {finding(sweep, slowdown, axis.goals)}.",
        how_to_read=_HOW_TO_READ,
        data=[
            _line([(times[i][0] or 0.0, energies[i].value) for i in front]),
            *_limit(limit_s, slowdown, y_axis),
            *[_ring(sweep, goal, axis, slowdown) for goal in axis.goals if goal in sweep.choices],
            *[_marks(axis, points, times, energies, labels, front, on) for on in (True, False)],
        ],
        layout=layout(420, xaxis=x_axis, yaxis={**y_axis, "title": {"text": title, "standoff": 4}}, showlegend=True),
        table=data_table(
            ("setting", f"{case.item}s per second", title, "what is said of it"),
            [
                [settings_text(point), point.speed.value, energy.value, _said(point, sweep)]
                for point, energy in zip(points, energies, strict=True)
            ],
        ),
        footnote=_footnote(sweep, axis, slowdown),
    )


def _time(point: Point) -> tuple[float, float | None, float | None]:
    """Return the seconds of an item, and the ends of their interval."""
    speed = point.speed
    ends = (None, None) if speed.low is None or speed.high is None else (1 / speed.high, 1 / speed.low)
    return 1 / speed.value, *ends


def _known(mean: GeometricMean | None) -> GeometricMean:
    assert mean is not None
    return mean


def _labels(
    points: Sequence[Point], values: Sequence[tuple[float, float]], x_axis: dict[str, Any], y_axis: dict[str, Any]
) -> list[tuple[str, str]]:
    """Return text and position of the label of each point; no text where there are too many to read."""
    if len(points) > _MAX_LABELLED:
        return [("", "top center")] * len(points)
    places = [plot_position(*value, (x_axis["range"], y_axis["range"])) for value in values]
    wanted = [
        (beside(place), for_plotly(settings_text(point), 40)) for place, point in zip(places, points, strict=True)
    ]
    chosen = LabelPlacer(places).place(wanted)
    return [(text, choices[i][1]) for (choices, text), i in zip(wanted, chosen, strict=True)]


def _line(values: Sequence[tuple[float, float]]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Pareto front",
        "x": numbers(x for x, _ in values),
        "y": numbers(y for _, y in values),
        "line": {"color": NEUTRAL, "width": 2},
        "hoverinfo": "skip",
    }


def _limit(limit_s: float | None, slowdown: float, y_axis: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the line of the slowest setting that is allowed."""
    if limit_s is None or "range" not in y_axis:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{100 * slowdown:g} % slower than the default",
            "x": numbers([limit_s, limit_s]),
            "y": numbers(10**end for end in y_axis["range"]),
            "line": {"color": NEUTRAL, "width": 1.5, "dash": "dot"},
            "hoverinfo": "skip",
        }
    ]


def _ring(sweep: TaskSweep, goal: Goal, axis: _Axis, slowdown: float) -> dict[str, Any]:
    """Return the shapes around the settings that may be best by `goal`."""
    symbol, colour = _RINGS[goal]
    points = sweep.choices[goal].candidates
    return {
        "type": "scatter",
        "mode": "markers",
        "name": goal_text("joules" if goal == "node_joules" else goal, slowdown, sweep.choices[goal].is_estimated),
        "x": numbers(_time(point)[0] for point in points),
        "y": numbers(_known(axis.energy(point)).value for point in points),
        "marker": {"symbol": symbol, "size": 22, "color": colour, "line": {"width": 2.5, "color": colour}},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _marks(
    axis: _Axis,
    points: Sequence[Point],
    times: Sequence[tuple[float, float | None, float | None]],
    energies: Sequence[GeometricMean],
    labels: Sequence[tuple[str, str]],
    front: Sequence[int],
    on_front: bool,
) -> dict[str, Any]:
    """Return the marks of the settings on the front or, smaller, of the others; the default is a diamond."""
    chosen = [i for i in range(len(points)) if (i in front) == on_front]
    colour = marker(points[0].case.framework, points[0].case.mode).colour
    smaller = 0 if on_front else 4
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "on the front (diamond: default)" if on_front else "off the front (smaller)",
        "x": numbers(times[i][0] for i in chosen),
        "y": numbers(energies[i].value for i in chosen),
        "error_x": error_bars(times[i] for i in chosen),
        "error_y": error_bars((energies[i].value, energies[i].low, energies[i].high) for i in chosen),
        "text": [labels[i][0] for i in chosen],
        "textposition": [labels[i][1] for i in chosen],
        "customdata": [[number(points[i].speed.value)] for i in chosen],
        "hovertext": [for_plotly(settings_text(points[i])) for i in chosen],
        "hovertemplate": "%{hovertext}<br>%{customdata[0]:.4s}/s, %{y:.4s}J<extra></extra>",
        "cliponaxis": False,
        "marker": {
            "symbol": [_symbol(points[i], axis.is_estimated(points[i])) for i in chosen],
            "size": [(13 if points[i].is_default else 10) - smaller for i in chosen],
            "color": colour,
            "opacity": 1.0,  # Plotly's is 0.7 where sizes differ
            "line": {"width": [2 if axis.is_estimated(points[i]) else 0 for i in chosen]},
        },
    }


def _symbol(point: Point, estimated: bool) -> str:
    """Return the shape of a setting's mark, open where its joules are estimated as in other charts."""
    return f"{'diamond' if point.is_default else 'circle'}{'-open' if estimated else ''}"


def _said(point: Point, sweep: TaskSweep) -> str:
    words = ["default"] if point.is_default else []
    words += ["Pareto front"] if point.case.id in sweep.front else []
    words += ["beaten in both"] if point.case.id in sweep.beaten else []
    return ", ".join(words + goal_marks(point, sweep)) or "-"


def _footnote(sweep: TaskSweep, axis: _Axis, slowdown: float) -> str:
    lines = [*(text.strip() for text in choice_sentences(sweep, slowdown, axis.goals)), plateau_sentence(sweep)]
    lines += [host_sentence(sweep) if sweep.front else ""]
    sentences = [line[:1].upper() + line[1:] + "." for line in lines if line]
    return " ".join([*sentences, listed("Left out", sweep.reasons)]).strip()
