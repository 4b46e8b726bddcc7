"""Draw the residuals of the power model for docs/power.md. Needs Chromium.

`python -m studies.power_model_picture SERVERS INSTANCES PROFILES LEVELS COEFFICIENTS`, as for `studies.power_model`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.browser import chromium
from joulemark.reports.markers import NEUTRAL
from joulemark.reports.theme import TEMPLATES
from studies.left_out import Machine
from studies.power_model import DATA, ROOT, Sources, read
from studies.power_model_machines import (
    UNITS,
    codecarbon_machines,
    left_out_hosts,
    left_out_servers,
    rated_machines,
)

PICTURES = ROOT / "docs" / "pictures"
GROUNDS = {"light": "#ffffff", "dark": "#0d1117"}
"""GitHub's page."""
COLOURS = {"idle": "#D55E00", "full load": "#0072B2", "in between": NEUTRAL}
SIZE = {"width": 1000, "height": 1000}
LOWER, UPPER = (0.1, 0.35), (0.46, 0.94)
LEFT, RIGHT = (0.15, 0.55), (0.6, 1.0)
LOWER_LEFT, LOWER_RIGHT = (0.15, 0.47), (0.68, 1.0)
Panel = tuple[str, list[tuple[str, list[Machine]]], tuple[float, float], tuple[float, float], bool]
"""Title, machines of each step that is shown, domains of both axes, whether the rows have labels."""


def main(paths: Sequence[str]) -> None:
    """Write both pictures."""
    figure = residuals(read(paths))
    with chromium() as browser:
        for scheme, ground in GROUNDS.items():
            figure["layout"]["template"] = TEMPLATES[scheme]
            page = browser.new_page(viewport=SIZE, device_scale_factor=1.5)
            page.set_content(f'<body style="margin:0;background:{ground}"><div id="figure"></div></body>')
            page.add_script_tag(path=_plotly())
            page.evaluate("([f, c]) => Plotly.newPlot('figure', f.data, f.layout, c)", [figure, {"staticPlot": True}])
            path = PICTURES / f"power-model-{scheme}.png"
            page.screenshot(path=path)
            page.close()
            print(path.relative_to(ROOT))


def panels(sources: Sources) -> list[Panel]:
    """Return what is drawn: servers by rated power and by thread, EC2's hosts, and codecarbon's machines."""
    servers = (
        sorted(left_out_servers(sources.servers, UNITS[unit]).values(), key=lambda machine: machine.group)
        for unit in ("rated_w", "thread")
    )
    model, architecture = servers
    machines = [("rated", rated_machines(sources.profiles)), ("codecarbon", codecarbon_machines(sources.profiles))]
    return [
        ("server at the wall, from rated power<br>and its architecture", [("model", model)], LEFT, UPPER, True),
        ("server at the wall, from hardware threads<br>and its architecture", [("architecture", architecture)],
         RIGHT, UPPER, False),
        ("package of an EC2 host, from the others", [("instance", left_out_hosts(sources.hosts))],
         LOWER_LEFT, LOWER, True),
        ("package by Teads' curve (upper five)<br>and by codecarbon's model (lower five)", machines,
         LOWER_RIGHT, LOWER, True),
    ]  # fmt: skip


def residuals(sources: Sources) -> dict[str, Any]:
    """Return measured over estimated power of each machine that was left out, a panel a kind of estimate."""
    ranges = json.loads((DATA / "ranges.json").read_text())["steps"]
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {**SIZE, "margin": {"t": 20, "b": 20, "l": 10, "r": 10}, "shapes": [], "annotations": []}
    layout["legend"] = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": 0.03, "yanchor": "top"}
    for number, (title, steps, columns, lines, labelled) in enumerate(panels(sources)):
        suffix = "" if number == 0 else str(number + 1)
        layout[f"xaxis{suffix}"] = {
            "domain": columns, "anchor": f"y{suffix}", "type": "log", "range": [-0.75, 1.0],
            "tickvals": [0.2, 0.5, 1, 2, 5], "title": {"text": "measured / estimated"},
        }  # fmt: skip
        place = {"x": sum(columns) / 2, "xanchor": "center", "y": lines[1] + 0.01, "yanchor": "bottom"}
        layout["annotations"].append({"text": title, "showarrow": False, "xref": "paper", "yref": "paper", **place})
        labels: list[str] = []
        for step, machines in steps:
            groups = list(dict.fromkeys(machine.group for machine in machines))
            layout["shapes"].append(
                {
                    "type": "rect", "xref": f"x{suffix}", "yref": f"y{suffix}", "layer": "below", "line": {"width": 0},
                    "x0": ranges[step]["low"], "x1": ranges[step]["high"], "fillcolor": NEUTRAL, "opacity": 0.22,
                    "y0": len(labels) - 0.5, "y1": len(labels) + len(groups) - 0.5,
                }
            )  # fmt: skip
            rows = {group: len(labels) + row for row, group in enumerate(groups)}
            traces += _points(machines, rows, suffix, legend=step == "codecarbon")
            labels += groups
        layout[f"yaxis{suffix}"] = {
            "domain": lines, "anchor": f"x{suffix}", "range": [len(labels) - 0.5, -0.5], "zeroline": False,
            "tickvals": list(range(len(labels))), "ticktext": labels, "showticklabels": labelled,
        }  # fmt: skip
    return {"data": traces, "layout": layout}


def _points(machines: Sequence[Machine], rows: Mapping[str, int], suffix: str, *, legend: bool) -> list[dict[str, Any]]:
    traces = []
    for label, choose in (
        ("in between", lambda ratios: ratios[1:-1]),
        ("full load", lambda ratios: ratios[-1:]),
        ("idle", lambda ratios: ratios[:1]),
    ):
        points = [(ratio, rows[machine.group]) for machine in machines for ratio in choose(machine.ratios)]
        traces.append(
            {
                "type": "scatter", "mode": "markers", "xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "name": label,
                "x": [ratio for ratio, _ in points], "y": [row for _, row in points],
                "marker": {"size": 5, "opacity": 0.6, "color": COLOURS[label]}, "showlegend": legend,
            }
        )  # fmt: skip
    return traces


def _plotly() -> Path:
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


if __name__ == "__main__":
    main(sys.argv[1:])
