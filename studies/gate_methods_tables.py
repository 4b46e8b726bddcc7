"""The tables and the picture of the ways to measure, from the study's JSON: `python -m studies.gate_methods_tables`.

The picture needs kaleido and a Chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from joulemark.reports.theme import TEMPLATES
from studies.gate_sessions import RESULTS

STUDY = RESULTS / "gate-methods.json"
SHOWN_S = (60.0, 300.0, 900.0)
COLOURS = {"threads": "#0072B2", "pinned": "#D55E00", "alternate": "#009E73", "duet": "#CC79A7"}
DASHES = {"old": "dot", "mean": "solid"}


def tables(study: Mapping[str, Any]) -> str:
    """Return all tables as Markdown."""
    parts = {
        "Ways": ways(study),
        "Within a time": within(study),
        "Cross-validated": cross_validated(study),
        "What varies": varies(study),
    }
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in parts.items())


def ways(study: Mapping[str, Any]) -> str:
    """Return what one ratio of each way costs, how it varies, and what it says of more work."""
    head = ["way", "time of a ratio", "standard deviation", "of the middle half", "+2 %", "+5 %", "+10 %"]
    rows = [
        [name, f"{way['cost_s']:.1f} s", f"{way['deviation']:.1%}", f"{way['median_deviation']:.1%}"]
        + [f"{way['effects'][arm][0]:+.1%}" if arm in way["effects"] else "" for arm in ("+2 %", "+5 %", "+10 %")]
        for name, way in study["methods"].items()
    ]
    return _table(head, rows)


def within(study: Mapping[str, Any]) -> str:
    """Return false alarms and power at +5 % by way and time, by the old rule and today's."""
    head = ["way", "rule", *(f"{text} in {s:g} s" for s in SHOWN_S for text in ("false alarms", "+5 % found"))]
    rows = []
    for name, way in study["methods"].items():
        for rule in ("old", "mean", "trimmed"):
            cells = []
            for budget_s in SHOWN_S:
                cells += [
                    _rate(_row(way, rule, budget_s, "base"), True),
                    _rate(_row(way, rule, budget_s, "+5 %"), False),
                ]
            rows.append([name, rule, *cells])
    return _table(head, rows)


def cross_validated(study: Mapping[str, Any]) -> str:
    """Return by time what is chosen on all sessions but one, and what it does on that one."""
    rows = []
    for budget_s in dict.fromkeys(row["budget_s"] for row in study["cross_validated"]):
        folds = [row for row in study["cross_validated"] if row["budget_s"] == budget_s]
        chosen = Counter(f"{row['method']} ({row['rule']})" for row in folds)
        alarms, power = (
            [row[arm]["regressed"]["rate"] for row in folds if "regressed" in row[arm]] for arm in ("base", "+5 %")
        )
        rows.append(
            [
                f"{budget_s:g} s",
                ", ".join(f"{name} {count} of {len(folds)}" for name, count in chosen.items()),
                f"{sum(alarms) / len(alarms):.2%}, at most {max(alarms):.2%}",
                f"{sum(power) / len(power):.0%}, at least {min(power):.0%}",
            ]
        )
    return _table(["time", "chosen", "false alarms", "+5 % found"], rows)


def varies(study: Mapping[str, Any]) -> str:
    """Return the standard deviations of step times by what changes."""
    parts = study["parts"]
    head = ["between", *(name for name in parts if isinstance(parts[name], dict))]
    rows = [
        [what, *(f"{parts[how][what]:.1%}" for how in head[1:])] for what in ("blocks", "trials of a round", "rounds")
    ]
    rows.append(["builds of a process", "", f"{parts['builds of a process']:.1%}", ""])
    return _table(head, rows)


def _row(way: Mapping[str, Any], rule: str, budget_s: float, arm: str) -> Mapping[str, Any] | None:
    keys = (rule, budget_s, arm)
    rows = [row for row in way["rates"] if (row["rule"], row["budget_s"], row["arm"]) == keys]
    return rows[0] if rows and "regressed" in rows[0] else None


def _rate(row: Mapping[str, Any] | None, bound: bool) -> str:
    if row is None:
        return ""
    share = row["regressed"]
    return f"{share['rate']:.2%} (≤ {share['high']:.2%})" if bound else f"{share['rate']:.0%}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def picture(study: Mapping[str, Any]) -> dict[str, Any]:
    """Return the share of comparisons that find +5 %, by time: today's rule solid, the old one dotted."""
    traces = []
    for name, way in study["methods"].items():
        how, _, window = name.partition(", ")
        if how not in COLOURS or window not in ("", "0.5 s"):
            continue
        for rule, dash in DASHES.items():
            rows = [r for r in way["rates"] if (r["rule"], r["arm"]) == (rule, "+5 %") and "regressed" in r]
            traces.append(
                {
                    "type": "scatter", "mode": "lines+markers", "line": {"color": COLOURS[how], "dash": dash},
                    "name": f"{how}, {'today' if rule == 'mean' else 'old rule'}",
                    "x": [row["budget_s"] for row in rows], "y": [100 * row["regressed"]["rate"] for row in rows],
                }
            )  # fmt: skip
    layout = {
        "height": 460, "margin": {"t": 20, "b": 60, "l": 70, "r": 10},
        "xaxis": {
            "type": "log", "title": {"text": "time of the comparison, s"},
            "tickvals": sorted({row["budget_s"] for way in study["methods"].values() for row in way["rates"]}),
        },
        "yaxis": {"range": [-2, 103], "ticksuffix": " %", "title": {"text": "comparisons that find +5 %"}},
    }  # fmt: skip
    return {"data": traces, "layout": layout}


def main() -> None:
    """Print the tables and draw the picture."""
    study = json.loads(STUDY.read_text())
    print(tables(study))
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser:
        os.environ.setdefault("BROWSER_PATH", browser)
    import plotly.graph_objects as go
    from plotly import io

    figure = picture(study)
    template = TEMPLATES["light"]
    white = {"paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff"}
    figure["layout"]["template"] = {**template, "layout": {**template["layout"], **white}}
    target = Path(sys.argv[1] if len(sys.argv) > 1 else RESULTS.parent / "pictures") / "gate-methods.svg"
    io.write_image(go.Figure(figure), target, width=1000, height=460)


if __name__ == "__main__":
    main()
