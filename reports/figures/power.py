"""Power over time: what each sensor recorded, with the windows of throughput and energy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from joulemark.reports.data_table import data_table
from joulemark.reports.escape import for_plotly
from joulemark.reports.markers import NEUTRAL, marker
from joulemark.reports.model.power import PowerTrace, power_traces
from joulemark.reports.model.report import Report
from joulemark.reports.model.runs import RunView
from joulemark.reports.plotting.figure import Figure, layout, number, numbers
from joulemark.suite import units

_PANEL_PX = 170
_GAP_PX = 34
_AROUND_PX = 90
_DIGITS = 4
"""Significant digits of a point: its panel is 170 pixels high, and there are thousands."""
_WINDOW_OPACITY, _IDLE_OPACITY = 0.22, 0.20
_HOW_TO_READ = (
    "Each panel is one channel of one sensor. Shaded stretches are the windows of the trials, coloured by framework: "
    "throughput and energy are taken from these alone. Grey stretches are idle windows. Between them processes load, "
    "trace and warm up. A gap in a line is a missed read. A dashed line is a model, not a sensor."
)


def figures(report: Report) -> list[Figure]:
    """Return one figure for each run that has traces."""
    several_runs = len(report.runs) > 1
    return [figure for run in report.detailed if (figure := _figure(run, several_runs)) is not None]


def _figure(run: RunView, several_runs: bool) -> Figure | None:
    traces = [trace for trace in power_traces(run.file) if any(power is not None for power in trace.power_w)]
    if not traces:
        return None
    height = len(traces) * _PANEL_PX + (len(traces) - 1) * _GAP_PX + _AROUND_PX
    return Figure(
        id=f"power-{run.label.lower()}",
        title="Power over time" + (f", run {run.label}" if several_runs else ""),
        summary=_summary(traces, run),
        how_to_read=_HOW_TO_READ,
        data=[*_window_traces(run), *(_line(trace, f"y{i}") for i, trace in enumerate(traces, 2))],
        layout=layout(height, **_panels(traces, height - _AROUND_PX)),
        table=data_table(
            ("channel", "sensor", "kind", "lowest W", "highest W", "samples", "reads per second"),
            [
                [
                    trace.name,
                    trace.sensor + (" (simulated)" if trace.simulated else ""),
                    trace.kind,
                    *numbers([min(_known_w(trace)), max(_known_w(trace))]),
                    trace.samples,
                    number(trace.rate_hz),
                ]
                for trace in traces
            ],
        ),
        footnote=_footnote(traces),
    )


def _panels(traces: Sequence[PowerTrace], plot_px: int) -> dict[str, Any]:
    """Return the axes of one panel for each trace, and covers over the gaps between them."""
    # The first vertical axis spans all panels and holds the windows once: a copy per panel would outweigh the lines.
    panels: dict[str, Any] = {
        "xaxis": {
            "title": {"text": "seconds since the run began"},
            "zeroline": False,
            "anchor": f"y{len(traces) + 1}",
        },
        "yaxis": {"domain": [0, 1], "range": [0, 1], "visible": False, "fixedrange": True},
        "shapes": [],
    }
    for i, trace in enumerate(traces):
        highest_w = max(_known_w(trace)) * 1.08 or 1.0
        bottom = 1 - (i * (_PANEL_PX + _GAP_PX) + _PANEL_PX) / plot_px
        panels[f"yaxis{i + 2}"] = {
            "domain": numbers([max(0.0, bottom), bottom + _PANEL_PX / plot_px]),
            "title": {"text": f"{for_plotly(trace.name)}, watts"},
            "range": numbers([0, highest_w]),
            "automargin": True,
            "zeroline": False,
        }
        if i:
            panel_above = panels[f"yaxis{i + 1}"]["domain"]
            panels["shapes"].append(_gap_cover(panels[f"yaxis{i + 2}"]["domain"][1], panel_above[0]))
    return panels


def _gap_cover(low: float, high: float) -> dict[str, Any]:
    """Return a rectangle in the page's background colour, which keeps windows and grid lines out of a gap."""
    place = {"xref": "paper", "x0": 0, "x1": 1, "yref": "paper", "y0": low, "y1": high}
    return {"type": "rect", **place, "line": {"width": 0}, "layer": "above"}


def _known_w(trace: PowerTrace) -> list[float]:
    return [power for power in trace.power_w if power is not None]


def _line(trace: PowerTrace, axis: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": for_plotly(trace.name),
        "x": [round(t, 2) for t in trace.t_s],
        "y": [number(power, _DIGITS) for power in trace.power_w],
        "yaxis": axis,
        "line": {"width": 1.2, "color": NEUTRAL, "dash": "dash" if trace.kind == "model" else "solid"},
        "connectgaps": False,
        "hovertemplate": "%{y:.4s}W at %{x:.1f} s<extra></extra>",
        "showlegend": False,
        "meta": {"ink": True},
    }


def _window_traces(run: RunView) -> list[dict[str, Any]]:
    """Return the windows of trials and the idle windows as filled outlines behind all panels.

    One trace for each kind of window is far cheaper than one shape for each trial.
    """
    windows: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for entry in run.file.idle:
        windows["idle", _rgba(NEUTRAL, _IDLE_OPACITY)].append(entry.window_s)
    for case in run.file.cases:
        of_framework = marker(case.framework, "")
        windows[f"{of_framework.name.strip()} windows", _rgba(of_framework.colour, _WINDOW_OPACITY)] += [
            trial.window_s for trial in case.trials if trial.window_s is not None
        ]
    return [_filled_outline(name, colour, sorted(spans)) for (name, colour), spans in windows.items() if spans]


def _rgba(colour: str, opacity: float) -> str:
    """Return `#7a8594` as `rgba(122,133,148,0.22)`."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"rgba({red},{green},{blue},{opacity:.2f})"


def _filled_outline(name: str, colour: str, spans: Sequence[tuple[float, float]]) -> dict[str, Any]:
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
        "fillcolor": colour,
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _summary(traces: Sequence[PowerTrace], run: RunView) -> str:
    windows = sum(trial.window_s is not None for case in run.file.cases for trial in case.trials)
    highest = max(traces, key=lambda trace: max(_known_w(trace)))
    return (
        f"{units.counted(len(traces), 'channel')} over the whole run with {units.counted(windows, 'measured window')}; "
        f"highest power: {units.quantity(max(_known_w(highest)), 'W')} on {highest.name}."
    )


def _footnote(traces: Sequence[PowerTrace]) -> str:
    recorded = max(trace.samples for trace in traces)
    shown = max(len(trace.t_s) for trace in traces)
    if shown >= recorded:
        return ""
    return (
        f"Thinned from {recorded:,} to {shown:,} points per channel: the minimum and maximum of each stretch. "
        "Energy was computed from all points."
    )
