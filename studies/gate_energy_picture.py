"""Draw the picture of docs/gate-energy.md: `python -m studies.gate_energy_picture`. Needs Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.browser import chromium
from joulemark.reports.markers import NEUTRAL
from joulemark.reports.theme import TEMPLATES
from studies.gate_energy import FILE, SPREADS

PICTURES = FILE.parents[1] / "pictures"
GROUNDS = {"light": "#ffffff", "dark": "#0d1117"}
"""GitHub's page."""
COLOURS = ("#0072B2", "#56B4E9", "#D55E00", "#E69F00", "#009E73", "#CC79A7", NEUTRAL, "#8A63D2")
SYMBOLS = ("circle", "circle-open", "square", "square-open", "diamond", "cross", "x", "triangle-up")
SIZE = {"width": 1000, "height": 520}


def main() -> None:
    """Write the picture for light and for dark pages."""
    import plotly

    figure = panels(json.loads(FILE.read_text()))
    with chromium() as browser:
        for scheme, ground in GROUNDS.items():
            figure["layout"]["template"] = TEMPLATES[scheme]
            page = browser.new_page(viewport=SIZE, device_scale_factor=1.5)
            page.set_content(f'<body style="margin:0;background:{ground}"><div id="figure"></div></body>')
            page.add_script_tag(path=Path(plotly.__file__).parent / "package_data" / "plotly.min.js")
            page.evaluate("([f, c]) => Plotly.newPlot('figure', f.data, f.layout, c)", [figure, {"staticPlot": True}])
            page.screenshot(path=PICTURES / f"gate-energy-{scheme}.png")
            page.close()
            print(PICTURES / f"gate-energy-{scheme}.png")


def panels(study: dict[str, Any]) -> dict[str, Any]:
    """Return the error of one window by its length, and the wall time that sees 3 % by what trials vary."""
    shared = {"type": "log", "gridcolor": "rgba(128,128,128,0.25)", "zeroline": False}
    place = {"xref": "paper", "yref": "paper", "y": 1.1, "showarrow": False, "xanchor": "center"}
    layout: dict[str, Any] = {
        **SIZE,
        "margin": {"t": 60, "b": 50, "l": 70, "r": 10},
        "legend": {"orientation": "h", "y": -0.16, "yanchor": "top"},
        "xaxis": {
            **shared, "domain": [0, 0.45], "tickvals": [0.2, 0.5, 1, 2, 5], "title": {"text": "length of a window, s"},
        },
        "yaxis": {**shared, "title": {"text": "standard deviation, %"}, "tickvals": [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]},
        "xaxis2": {
            **shared, "domain": [0.55, 1], "anchor": "y2", "tickvals": [100 * spread for spread in SPREADS],
            "title": {"text": "standard deviation between trials, %"},
        },
        "yaxis2": {**shared, "anchor": "x2", "title": {"text": "minutes"}, "tickvals": [0.5, 1, 2, 5, 10, 20, 50]},
        "annotations": [
            {"text": "Error of one window", "x": 0.225, **place},
            {"text": "Wall time that sees 3 % more joules", "x": 0.775, **place},
        ],
    }  # fmt: skip
    traces = []
    machines = dict.fromkeys(row["machine"] for row in study["window_errors"])
    for machine, colour, symbol in zip(machines, COLOURS, SYMBOLS, strict=True):
        errors = [row for row in study["window_errors"] if row["machine"] == machine]
        fastest: dict[float, float] = {}
        for row in study["smallest"]:
            if row["machine"] == machine:
                fastest[row["spread"]] = min(row["wall_s"], fastest.get(row["spread"], row["wall_s"]))
        look = {"type": "scatter", "mode": "lines+markers", "name": machine, "legendgroup": machine}
        look |= {"line": {"color": colour, "width": 1.5}, "marker": {"symbol": symbol, "size": 8, "color": colour}}
        traces += [
            {**look, "x": [row["window_s"] for row in errors], "y": [100 * row["sd"] for row in errors]},
            {
                **look, "xaxis": "x2", "yaxis": "y2", "showlegend": False,
                "x": [100 * spread for spread in fastest], "y": [seconds / 60 for seconds in fastest.values()],
            },
        ]  # fmt: skip
    return {"data": traces, "layout": layout}


if __name__ == "__main__":
    main()
