"""Every trial as a dot, their drift over the run, and the machine's noise floor beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from joulemark.reports.data_table import data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import NEUTRAL, Marker
from joulemark.reports.model.cases import CaseView
from joulemark.reports.model.report import Report
from joulemark.reports.model.runs import RunView
from joulemark.reports.model.trial_spread import TrialPoint, floor_points, floor_variation, trial_points
from joulemark.reports.plotting.case_rows import case_label, row_axis, row_height
from joulemark.reports.plotting.figure import Figure, case_hover, layout, listed, number, numbers
from joulemark.suite.units import counted

_TRIALS_TEXT = (
    "Each dot is one trial, in a fresh process, as its deviation from the mean of its case; a grey cross is a trial "
    "that was still drifting. Two clusters in a row, or one distant dot, would be hidden by a mean with an interval. "
)
_FLOOR_TEXT = (
    "The grey band is the machine's noise floor: twice the variation of a fixed loop that does the same work every "
    "time."
)
_DRIFT_TEXT = (
    "Deviations of all cases over the time of the run. A slope that all share comes from the machine (heat, other "
    "programs), not from a framework; shuffled rounds make it affect all cases alike. Grey marks are the speed of the "
    "fixed loop of the noise floor."
)
_CasePoints = Sequence[tuple[CaseView, Sequence[TrialPoint]]]
_RowPoint = tuple[int, CaseView, TrialPoint]
"""A trial with its row and its case."""


def figures(report: Report) -> list[Figure]:
    """Return all trials with one row for each case, then the drift of each run."""
    return [*_trials(report), *(figure for run in report.detailed if (figure := _drift(report, run)) is not None)]


def _trials(report: Report) -> list[Figure]:
    cases = [(view, points) for view in report.shown if (points := trial_points(view))]
    if not cases:
        return []
    series: dict[Marker, list[_RowPoint]] = defaultdict(list)
    drifting: list[_RowPoint] = []
    for row, (view, points) in enumerate(cases):
        for point in points:
            (series[view.marker] if point.steady else drifting).append((row, view, point))
    data = [_row_trace(points, marker.name, marker.shape, marker.colour) for marker, points in series.items()]
    variations = [floor_variation(run.file.floor) for run in report.runs]
    floor = max((variation for variation in variations if variation is not None), default=None)
    largest = max(abs(point.deviation) for _, points in cases for point in points)
    limit = max(largest * 1.15, (floor or 0) * 2.3, 0.005)
    lost = [f"{v.full_name}: {_lost(v)} of {len(v.case.trials)}" for v, _ in cases if _lost(v)]
    floor_text = f"varies by {floor:.1%}" if floor is not None else "is unknown"
    figure = Figure(
        id="trials",
        title="Every trial",
        summary=f"{_trials_summary(cases, largest)}; the machine's noise floor {floor_text}.",
        how_to_read=_TRIALS_TEXT + (_FLOOR_TEXT if floor is not None else ""),
        data=data + ([_row_trace(drifting, "still drifting", "x", NEUTRAL)] if drifting else []),
        layout=layout(
            row_height(len(cases), 36),
            xaxis={
                "title": {"text": "throughput relative to the case's mean"},
                "tickformat": "+.1%",
                "range": numbers([-limit, limit]),
                "zeroline": True,
            },
            yaxis=row_axis([case_label(view) for view, _ in cases]),
            shapes=[] if floor is None else [_floor_band(floor)],
        ),
        table=data_table(
            ("case", "round", "items per second", "relative to the mean", "steady"),
            [
                [view.full_name, point.round, point.rate, point.deviation, "yes" if point.steady else "no"]
                for view, points in cases
                for point in points
            ],
        ),
        footnote=listed("Trials lost", lost),
    )
    return [figure]


def _trials_summary(cases: _CasePoints, largest: float) -> str:
    trials, counted_cases = sum(len(points) for _, points in cases), counted(len(cases), "case")
    if trials == len(cases):
        which = "the case" if trials == 1 else f"each of {counted_cases}"
        return f"One trial of {which}, so the variation between trials is unknown"
    return f"{counted(trials, 'trial')} of {counted_cases}; the largest deviation from a case's mean is {largest:.1%}"


def _lost(view: CaseView) -> int:
    return sum(trial.status != "ok" for trial in view.case.trials)


def _floor_band(variation: float) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": number(-2 * variation),
        "x1": number(2 * variation),
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "fillcolor": "rgba(122,133,148,0.16)",
        "line": {"width": 0},
        "layer": "below",
    }


def _row_trace(points: Sequence[_RowPoint], name: str, shape: str, colour: str) -> dict[str, Any]:
    # Rounds are spread within the row, first on top, so that equal values do not cover one another.
    rounds = max(point.round for _, _, point in points)
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": for_plotly(name),
        "x": numbers(point.deviation for _, _, point in points),
        "y": numbers(row + 0.5 * (point.round / (rounds + 1) - 0.5) for row, _, point in points),
        "marker": {"symbol": shape, "size": 8, "color": colour},
        "customdata": [point.round for _, _, point in points],
    }
    return trace | case_hover([view.key for _, view, _ in points], "round %{customdata}: %{x:+.2%}")


def _drift(report: Report, run: RunView) -> Figure | None:
    """Return the deviations of a run's trials over time; None without two trials of a case."""
    views = [view for view in report.shown if view.run == run.label]
    cases = [(view, points) for view in views if len(points := trial_points(view)) > 1]
    if not cases:
        return None
    series: dict[Marker, list[tuple[CaseView, TrialPoint]]] = defaultdict(list)
    for view, points in cases:
        series[view.marker] += [(view, point) for point in points]
    floor = floor_points(run.file)
    at_s = [point.at_s for point in floor]
    loops = {
        "noise floor: arithmetic": ("line-ew-open", [point.arithmetic for point in floor]),
        "noise floor: copy": ("line-ns-open", [point.copy for point in floor]),
    }
    rounds = _mean_by_round([point for _, points in cases for point in points])
    several_runs = len(report.runs) > 1
    return Figure(
        id=f"drift-{run.label.lower()}" if several_runs else "drift",
        title="Drift over the run" + (f", run {run.label}" if several_runs else ""),
        summary="Mean deviation by round: " + ", ".join(f"round {n} {value:+.1%}" for n, value in rounds) + ".",
        how_to_read=_DRIFT_TEXT,
        data=[
            *(_time_trace(marker, points) for marker, points in series.items()),
            *(_floor_trace(name, shape, at_s, values) for name, (shape, values) in loops.items()),
        ],
        layout=layout(
            340,
            xaxis={"title": {"text": "seconds since the run began"}, "zeroline": False},
            yaxis={"title": {"text": "relative to its mean"}, "tickformat": "+.1%", "automargin": True},
        ),
        table=data_table(
            ("series", "seconds", "relative to its mean"),
            [
                *[(f"round {n}, mean of {len(cases)} cases", "", value) for n, value in rounds],
                *[
                    (name, t, value)
                    for name, (_, values) in loops.items()
                    for t, value in zip(at_s, values, strict=True)
                ],
            ],
        ),
        footnote="" if floor else "The machine's noise floor was not recorded.",
    )


def _floor_trace(name: str, shape: str, at_s: Sequence[float], values: Sequence[float]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": numbers(at_s),
        "y": numbers(values),
        "line": {"color": NEUTRAL, "width": 1, "dash": "dot"},
        "marker": {"symbol": shape, "size": 9, "color": NEUTRAL, "line": {"width": 2}},
        "hovertemplate": "%{y:+.2%}",
    }


def _time_trace(marker: Marker, points: Sequence[tuple[CaseView, TrialPoint]]) -> dict[str, Any]:
    trace = {
        "type": "scatter",
        "mode": "markers",
        "name": for_plotly(marker.name),
        "x": numbers(point.at_s for _, point in points),
        "y": numbers(point.deviation for _, point in points),
        "marker": {"symbol": marker.shape, "size": 8, "color": marker.colour},
        "customdata": [point.round for _, point in points],
    }
    return trace | case_hover([view.key for view, _ in points], "round %{customdata}: %{y:+.2%}")


def _mean_by_round(points: Sequence[TrialPoint]) -> list[tuple[int, float]]:
    rounds: dict[int, list[float]] = defaultdict(list)
    for point in points:
        rounds[point.round].append(point.deviation)
    return [(number, sum(values) / len(values)) for number, values in sorted(rounds.items())]
