"""Draw the residuals of the power model for docs/power.md. Needs Chromium.

`python -m studies.power_model_picture SERVERS INSTANCES PROFILES LEVELS`, as for `studies.power_model`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.browser import chromium
from joulemark.reports.markers import NEUTRAL
from joulemark.reports.theme import TEMPLATES
from studies.left_out import Machine
from studies.power_model import (
    DATA,
    ROOT,
    Sources,
    codecarbon_machines,
    left_out_hosts,
    left_out_servers,
    read,
)

PICTURES = ROOT / "docs" / "pictures"
GROUNDS = {"light": "#ffffff", "dark": "#0d1117"}
"""GitHub's page."""
COLOURS = {"idle": "#D55E00", "full load": "#0072B2", "in between": NEUTRAL}
SIZE = {"width": 1000, "height": 620}
PANELS = (
    ("architecture", "server at the wall, from other<br>processors of its architecture"),
    ("package", "package: EC2 hosts from each other,<br>and codecarbon's model"),
)


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


def residuals(sources: Sources) -> dict[str, Any]:
    """Return measured over estimated power of each machine that was left out, a panel a kind of estimate."""
    ranges = json.loads((DATA / "ranges.json").read_text())["steps"]
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {**SIZE, "margin": {"t": 70, "b": 50, "l": 10, "r": 10}, "shapes": [], "annotations": []}
    layout["legend"] = {"orientation": "h", "y": -0.06, "yanchor": "top"}
    for number, (name, title) in enumerate(PANELS):
        suffix = "" if number == 0 else str(number + 1)
        left, right = number / 2 + 0.12, (number + 1) / 2 - 0.01
        layout[f"xaxis{suffix}"] = {
            "domain": [left, right], "anchor": f"y{suffix}", "type": "log", "range": [-0.75, 1.0],
            "tickvals": [0.2, 0.5, 1, 2, 5], "title": {"text": "measured / estimated"},
        }  # fmt: skip
        layout[f"yaxis{suffix}"] = {"anchor": f"x{suffix}", "type": "category", "autorange": "reversed"}
        place = {"x": (left + right) / 2, "xanchor": "center", "y": 1.1, "xref": "paper", "yref": "paper"}
        layout["annotations"].append({"text": title, "showarrow": False, **place})
        rows = _rows(name, sources)
        for step, first, last in _bands(name, rows, len(sources.hosts)):
            layout["shapes"].append(
                {
                    "type": "rect", "xref": f"x{suffix}", "yref": f"y{suffix}", "layer": "below", "line": {"width": 0},
                    "x0": ranges[step]["low"], "x1": ranges[step]["high"], "y0": first - 0.5, "y1": last + 0.5,
                    "fillcolor": NEUTRAL, "opacity": 0.22,
                }
            )  # fmt: skip
        traces += _points(rows, suffix)
    return {"data": traces, "layout": layout}


def _rows(name: str, sources: Sources) -> list[Machine]:
    """Return the machines of a panel, those of one row together."""
    if name == "package":
        return [*left_out_hosts(sources.hosts), *codecarbon_machines(sources.profiles)]
    return sorted(left_out_servers(sources.servers), key=lambda machine: machine.group)


def _bands(name: str, rows: Sequence[Machine], hosts: int) -> list[tuple[str, int, int]]:
    """Return the steps whose range is shown, each with its first and last row."""
    groups = list(dict.fromkeys(machine.group for machine in rows))
    if name != "package":
        return [(name, 0, len(groups) - 1)]
    return [("instance", 0, hosts - 1), ("codecarbon", hosts, len(groups) - 1)]


def _points(rows: Sequence[Machine], suffix: str) -> list[dict[str, Any]]:
    traces = []
    for label, choose in (
        ("in between", lambda ratios: ratios[1:-1]),
        ("full load", lambda ratios: ratios[-1:]),
        ("idle", lambda ratios: ratios[:1]),
    ):
        points = [(ratio, machine.group) for machine in rows for ratio in choose(machine.ratios)]
        traces.append(
            {
                "type": "scatter", "mode": "markers", "xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "name": label,
                "x": [ratio for ratio, _ in points], "y": [group for _, group in points],
                "marker": {"size": 5, "opacity": 0.6, "color": COLOURS[label]}, "showlegend": suffix == "2",
            }
        )  # fmt: skip
    return traces


def _plotly() -> Path:
    import plotly

    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


if __name__ == "__main__":
    main(sys.argv[1:])
