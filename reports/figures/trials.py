"""Every trial as a dot, their drift over the run, and the machine's own variation beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, layout, listed, named, number, numbers
from joulemark.reports.figures.rows import case_label, row_axis, row_height
from joulemark.reports.marks import NEUTRAL, Mark
from joulemark.reports.model.cases import CaseView
from joulemark.reports.model.grid import grid
from joulemark.reports.model.report import Report
from joulemark.reports.model.runs import RunView
from joulemark.reports.model.spread import Dot, dots, floor_dots, floor_spread
from joulemark.suite.units import counted

_ALL = (
    "Each dot is one trial, a fresh process, as its deviation from the mean of its case; a grey cross is one that was "
    "still drifting. Two clusters in a row, or one dot far off, are things that a mean with an interval would hide. "
)
_BAND = "The grey band is the machine's floor: twice the variation of a fixed loop that does the same work every time."
_DRIFT = (
    "Deviations of all cases over the time of the run. A slope that all share is the machine (heat, other programs), "
    "not a framework; rounds in shuffled order make it fall on all alike. Grey marks are the fixed loop's speed."
)
_At = tuple[int, CaseView, Dot]
"""A trial with its row and its case."""


def trials_figure(report: Report) -> Figure | None:
    """One row a case."""
    found = [(view, made) for view in report.shown if (made := dots(view))]
    if not found:
        return None
    series: dict[Mark, list[_At]] = defaultdict(list)
    drifting: list[_At] = []
    for i, (view, made) in enumerate(found):
        for dot in made:
            (series[view.mark] if dot.steady else drifting).append((i, view, dot))
    data = [_series(of, mark.name, mark.shape, mark.colour) for mark, of in series.items()]
    spread = max((s for run in report.runs if (s := floor_spread(run.file.floor)) is not None), default=None)
    band = [] if spread is None else [_band(spread)]
    widest = max(abs(dot.relative) for _, made in found for dot in made)
    limit = max(widest * 1.15, (spread or 0) * 2.3, 0.005)
    lost = [f"{view.full}: {_lost(view)} of {len(view.case.trials)}" for view, _ in found if _lost(view)]
    return Figure(
        id="trials",
        title="Every trial",
        finding=_all(found, widest)
        + (f"; the machine's floor varies by {spread:.1%}." if spread is not None else "; the floor is not known."),
        reading=_ALL + (_BAND if band else ""),
        data=data + ([_series(drifting, "still drifting", "x", NEUTRAL)] if drifting else []),
        layout=layout(
            row_height(len(found), 36),
            xaxis={
                "title": {"text": "throughput against the case's mean"},
                "tickformat": "+.1%",
                "range": numbers([-limit, limit]),
                "zeroline": True,
            },
            yaxis=row_axis([case_label(view) for view, _ in found]),
            shapes=band,
        ),
        table=grid(
            ("case", "round", "items per second", "against the mean", "steady"),
            [
                [v.full, dot.round, dot.rate, dot.relative, "yes" if dot.steady else "no"]
                for v, made in found
                for dot in made
            ],
        ),
        note=listed("Trials lost", lost),
    )


def _all(found: Sequence[tuple[CaseView, Sequence[Dot]]], widest: float) -> str:
    trials, cases = sum(len(made) for _, made in found), counted(len(found), "case")
    if trials == len(found):
        return f"One trial of {'the case' if trials == 1 else f'each of {cases}'}, so that how trials vary is not known"
    return f"{counted(trials, 'trial')} of {cases}; the farthest from its mean is {widest:.1%} off"


def _lost(view: CaseView) -> int:
    return sum(trial.status != "ok" for trial in view.case.trials)


def _band(spread: float) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": number(-2 * spread),
        "x1": number(2 * spread),
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "fillcolor": "rgba(122,133,148,0.16)",
        "line": {"width": 0},
        "layer": "below",
    }


def _series(found: Sequence[_At], name: str, shape: str, colour: str) -> dict[str, Any]:
    # Rounds are spread within the row, first on top, so that equal values do not cover one another.
    rounds = max(dot.round for _, _, dot in found)
    made = {
        "type": "scatter",
        "mode": "markers",
        "name": for_plotly(name),
        "x": numbers(dot.relative for _, _, dot in found),
        "y": numbers(i + 0.5 * (dot.round / (rounds + 1) - 0.5) for i, _, dot in found),
        "marker": {"symbol": shape, "size": 8, "color": colour},
        "customdata": [dot.round for _, _, dot in found],
    }
    return made | named([view.key for _, view, _ in found], "round %{customdata}: %{x:+.2%}")


def drift_figures(report: Report) -> list[Figure]:
    """One figure a run with at least two trials at unlike times."""
    several = len(report.runs) > 1
    return [figure for run in report.runs if (figure := _drift(report, run, several)) is not None]


def _drift(report: Report, run: RunView, several: bool) -> Figure | None:
    found = [(view, made) for view in report.shown if view.run == run.label and len(made := dots(view)) > 1]
    floor = floor_dots(run.file)
    if not found:
        return None
    series: dict[Mark, list[tuple[CaseView, Dot]]] = defaultdict(list)
    for view, made in found:
        series[view.mark] += [(view, dot) for dot in made]
    data = [_over_time(mark, of) for mark, of in series.items()]
    for name, shape, values in (
        ("floor: arithmetic", "line-ew-open", [dot.arithmetic for dot in floor]),
        ("floor: copy", "line-ns-open", [dot.copy for dot in floor]),
    ):
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": numbers(dot.at_s for dot in floor),
                "y": numbers(values),
                "line": {"color": NEUTRAL, "width": 1, "dash": "dot"},
                "marker": {"symbol": shape, "size": 9, "color": NEUTRAL, "line": {"width": 2}},
                "hovertemplate": "%{y:+.2%}",
            }
        )
    rounds = _by_round([dot for _, made in found for dot in made])
    return Figure(
        id="drift" if not several else f"drift-{run.label.lower()}",
        title="Drift over the run" + (f", run {run.label}" if several else ""),
        finding="Mean deviation by round: " + ", ".join(f"round {n} {value:+.1%}" for n, value in rounds) + ".",
        reading=_DRIFT,
        data=data,
        layout=layout(
            340,
            xaxis={"title": {"text": "seconds since the run began"}, "zeroline": False},
            yaxis={"title": {"text": "against its mean"}, "tickformat": "+.1%", "automargin": True},
        ),
        table=grid(
            ("what", "seconds", "against its mean"),
            [
                *[(f"round {n}, mean of {len(found)} cases", "", value) for n, value in rounds],
                *[("floor: arithmetic", dot.at_s, dot.arithmetic) for dot in floor],
                *[("floor: copy", dot.at_s, dot.copy) for dot in floor],
            ],
        ),
        note="" if floor else "The machine's floor was not recorded.",
    )


def _over_time(mark: Mark, found: Sequence[tuple[CaseView, Dot]]) -> dict[str, Any]:
    made = {
        "type": "scatter",
        "mode": "markers",
        "name": for_plotly(mark.name),
        "x": numbers(dot.at_s for _, dot in found),
        "y": numbers(dot.relative for _, dot in found),
        "marker": {"symbol": mark.shape, "size": 8, "color": mark.colour},
        "customdata": [dot.round for _, dot in found],
    }
    return made | named([view.key for view, _ in found], "round %{customdata}: %{y:+.2%}")


def _by_round(found: Sequence[Dot]) -> list[tuple[int, float]]:
    rounds: dict[int, list[float]] = defaultdict(list)
    for dot in found:
        rounds[dot.round].append(dot.relative)
    return [(number, sum(values) / len(values)) for number, values in sorted(rounds.items())]
