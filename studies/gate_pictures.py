"""Draw the pictures of docs/gate.md: `python -m studies.gate_pictures [FOLDER]`. Needs kaleido and a Chromium."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from joulemark.reports.markers import NEUTRAL
from joulemark.reports.theme import TEMPLATES
from studies.gate_comparisons import ARMS, KINDS
from studies.gate_sessions import RESULTS, load

COLOURS = dict(zip(ARMS, ("#0072B2", "#D55E00", "#009E73"), strict=True))
TITLES = ("Turn by turn", "Against a kept run,<br>calibrated", "Against a kept run,<br>drift assumed")
DOCS = RESULTS.parent


def main(folder: Path) -> None:
    """Write both pictures."""
    for name in ("chromium", "google-chrome"):
        if browser := shutil.which(name):
            os.environ.setdefault("BROWSER_PATH", browser)
    import plotly.graph_objects as go
    from plotly import io

    study = json.loads((RESULTS / "gate-2-cores.json").read_text())
    template = {
        **TEMPLATES["light"],
        "layout": {**TEMPLATES["light"]["layout"], "paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff"},
    }
    for name, figure in (("gate-power", power(study)), ("gate-pool", pool())):
        figure["layout"]["template"] = template
        io.write_image(go.Figure(figure), folder / f"{name}.svg", width=1000, height=figure["layout"]["height"])
        print(folder / f"{name}.svg")


def power(study: dict[str, Any]) -> dict[str, Any]:
    """Return the share of comparisons that alarm, a panel a kind."""
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {"height": 460, "margin": {"t": 60, "b": 120, "l": 60, "r": 10}, "annotations": []}
    layout["legend"] = {"orientation": "h", "y": -0.2, "yanchor": "top"}
    ratios = study["pool"]["step_time_ratio"]
    for i, kind in enumerate(KINDS):
        axis = "" if i == 0 else str(i + 1)
        left, right = i / 3 + 0.01, (i + 1) / 3 - 0.02
        layout[f"xaxis{axis}"] = {
            "domain": [left, right],
            "title": {"text": "rounds in each arm"},
            "anchor": f"y{axis}",
        }
        percent = {"range": [-2, 103], "ticksuffix": " %", "showticklabels": i == 0}
        layout[f"yaxis{axis}"] = {**percent, "anchor": f"x{axis}"}
        place = {"x": (left + right) / 2, "y": 1.13, "xref": "paper", "yref": "paper"}
        layout["annotations"].append({"text": TITLES[i], "xanchor": "center", "showarrow": False, **place})
        for arm in ARMS:
            rows = [row for row in study["power"] if (row["kind"], row["arm"]) == (kind, arm)]
            label = f"{arm} work (step time x {ratios[arm][0]:.2f})"
            traces.append(
                {
                    "type": "scatter", "mode": "lines+markers", "xaxis": f"x{axis}", "yaxis": f"y{axis}",
                    "x": [row["rounds"] for row in rows], "y": [100 * row["regressed"]["rate"] for row in rows],
                    "line": {"color": COLOURS[arm]}, "marker": {"size": 5}, "name": label, "showlegend": i == 0,
                }
            )  # fmt: skip
    return {"data": traces, "layout": layout}


def pool() -> dict[str, Any]:
    """Return every trial of the base by session, which shows drift and noise."""
    sessions = load()
    traces, position = [], 0
    for number, session in enumerate(sessions, 1):
        values = [1e3 * value for each in session.rounds for value in each.base]
        traces.append(
            {
                "type": "scatter", "mode": "markers", "x": list(range(position, position + len(values))), "y": values,
                "marker": {"size": 4, "color": "#0072B2" if number % 2 else NEUTRAL}, "showlegend": False,
            }
        )  # fmt: skip
        position += len(values) + 6
    axes = {
        "xaxis": {
            "title": {"text": "trials in the order they were measured; colours alternate by session"},
            "showticklabels": False,
        },
        "yaxis": {"title": {"text": "ms a step"}, "type": "log", "tickvals": [9, 10, 12, 15, 20]},
    }
    return {"data": traces, "layout": {"height": 320, "margin": {"t": 20, "b": 50, "l": 60, "r": 10}, **axes}}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "pictures")
