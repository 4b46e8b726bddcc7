"""Power over time: what each sensor saw, with the windows that throughput and energy were read over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures.base import Figure, layout, number, numbers
from joulemark.reports.marks import NEUTRAL, mark
from joulemark.reports.model.grid import grid
from joulemark.reports.model.power import Line, power_lines
from joulemark.reports.model.report import Report
from joulemark.reports.model.runs import RunView
from joulemark.suite import units

_PANEL_PX = 170
_GAP_PX = 34
_DIGITS = 4
"""Significant digits of a point: its panel is 170 pixels high, and there are thousands."""
_HOW = (
    "Each panel is one channel of one sensor. Shaded stretches are the windows of the trials, coloured by framework: "
    "throughput and energy are read over these and nothing else. Grey stretches are the machine at rest. Between them "
    "processes load, trace and warm up. A gap in a line is a missed read. A dashed line is a model, no sensor."
)
# Windows and rest are drawn as filled outlines: one trace a kind is far cheaper than one shape a trial.
_WINDOW, _REST = 0.22, 0.20
"""How strong the shades are."""


def power_figures(report: Report) -> list[Figure]:
    """One figure a run that has traces."""
    return [figure for run in report.runs if (figure := _figure(run, len(report.runs) > 1)) is not None]


def _figure(run: RunView, several: bool) -> Figure | None:
    lines = [line for line in power_lines(run.file) if any(p is not None for p in line.power_w)]
    if not lines:
        return None
    height = len(lines) * _PANEL_PX + (len(lines) - 1) * _GAP_PX + 90
    plot_px = height - 90
    # The first vertical axis spans all panels and holds the shades once: a copy a panel would outweigh the lines.
    shades = {"domain": [0, 1], "range": [0, 1], "visible": False, "fixedrange": True}
    seconds = {"title": {"text": "seconds since the run began"}, "zeroline": False, "anchor": f"y{len(lines) + 1}"}
    panels: dict[str, Any] = {"xaxis": seconds, "yaxis": shades, "shapes": []}
    data: list[dict[str, Any]] = _shades(run)
    for i, line in enumerate(lines):
        top = max(p for p in line.power_w if p is not None) * 1.08 or 1.0
        start = 1 - (i * (_PANEL_PX + _GAP_PX) + _PANEL_PX) / plot_px
        panels[f"yaxis{i + 2}"] = {
            "domain": numbers([max(0.0, start), start + _PANEL_PX / plot_px]),
            "title": {"text": f"{for_plotly(line.name)}, W"},
            "range": numbers([0, top]),
            "automargin": True,
            "zeroline": False,
        }
        if i:
            panels["shapes"].append(
                _gap(*panels[f"yaxis{i + 2}"]["domain"][1:], *panels[f"yaxis{i + 1}"]["domain"][:1])
            )
        data.append(_line(line, f"y{i + 2}"))
    name = f"power-{run.label.lower()}"
    return Figure(
        id=name,
        title="Power over time" + (f", run {run.label}" if several else ""),
        finding=_finding(lines, run),
        reading=_HOW,
        data=data,
        layout=layout(height, **panels),
        table=grid(
            ("channel", "sensor", "kind", "lowest W", "highest W", "samples", "reads per second"),
            [
                [
                    line.name,
                    line.sensor + (" (simulated)" if line.simulated else ""),
                    line.kind,
                    *numbers([min(_known(line)), max(_known(line))]),
                    line.samples,
                    *numbers([line.rate_hz]),
                ]
                for line in lines
            ],
        ),
        note=_thinned(lines),
    )


def _gap(low: float, high: float) -> dict[str, Any]:
    """The page's ground over the gap between two panels, so that no shade or grid line runs through it."""
    place = {"xref": "paper", "x0": 0, "x1": 1, "yref": "paper", "y0": low, "y1": high}
    return {"type": "rect", **place, "line": {"width": 0}, "layer": "above"}


def _known(line: Line) -> list[float]:
    return [p for p in line.power_w if p is not None]


def _line(line: Line, axis: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": for_plotly(line.name),
        "x": [round(t, 2) for t in line.t_s],
        "y": [number(power, _DIGITS) for power in line.power_w],
        "yaxis": axis,
        "line": {"width": 1.2, "color": NEUTRAL, "dash": "dash" if line.kind == "model" else "solid"},
        "connectgaps": False,
        "hovertemplate": "%{y:.4s}W at %{x:.1f} s<extra></extra>",
        "showlegend": False,
        "meta": {"ink": True},
    }


def _shades(run: RunView) -> list[dict[str, Any]]:
    """Filled outlines of windows and rest, behind all panels."""
    spans: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for entry in run.file.idle:
        spans["at rest", _tint(NEUTRAL, _REST)].append(entry.window_s)
    for case in run.file.cases:
        own = mark(case.framework, "")
        spans[f"{own.name.strip()} windows", _tint(own.colour, _WINDOW)] += [
            t.window_s for t in case.trials if t.window_s is not None
        ]
    return [_shade(name, shade, sorted(found)) for (name, shade), found in spans.items() if found]


def _tint(colour: str, share: float) -> str:
    """`#0072B2` let through: `rgba(0,114,178,0.22)`."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"rgba({red},{green},{blue},{share:.2f})"


def _shade(name: str, shade: str, spans: Sequence[tuple[float, float]]) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    for start, end in spans:
        x += [round(start, 3), round(start, 3), round(end, 3), round(end, 3), None]
        y += [0, 1, 1, 0, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": for_plotly(name),
        "x": x,
        "y": y,
        "fill": "toself",
        "fillcolor": shade,
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _finding(lines: Sequence[Line], run: RunView) -> str:
    windows = sum(trial.window_s is not None for case in run.file.cases for trial in case.trials)
    peak = max(lines, key=lambda line: max(_known(line)))
    return (
        f"{units.counted(len(lines), 'channel')} over the whole run with {units.counted(windows, 'measured window')}; "
        f"highest: {units.quantity(max(_known(peak)), 'W')} on {peak.name}."
    )


def _thinned(lines: Sequence[Line]) -> str:
    most = max(line.samples for line in lines)
    shown = max(len(line.t_s) for line in lines)
    if shown >= most:
        return ""
    return (
        f"Thinned from {most:,} to {shown:,} points a channel: of each stretch the lowest and the highest. "
        "Energy was computed from all of them."
    )
