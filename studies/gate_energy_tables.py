"""The tables of docs/gate-energy.md, from the study's JSON: `python -m studies.gate_energy_tables [FILE]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def tables(study: dict[str, Any]) -> str:
    """Return all tables as Markdown."""
    sections = {
        "The error of one window": errors(study),
        "What sees 3 %": smallest(study),
        "Other differences": differences(study),
    }
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in sections.items())


def errors(study: dict[str, Any]) -> str:
    """Return the standard deviation of one window's error by sensor and length, as a share and as milliseconds."""
    rows = study["window_errors"]
    windows = sorted({row["window_s"] for row in rows})
    lines = [
        [machine, *(_error(row) for row in rows if row["machine"] == machine)]
        for machine in dict.fromkeys(row["machine"] for row in rows)
    ]
    return _table(["sensor", *(f"{window_s:g} s" for window_s in windows)], lines)


def _error(row: dict[str, Any]) -> str:
    return f"{100 * row['sd']:.2g} % ({1e3 * row['sd'] * row['window_s']:.0f} ms)"


def smallest(study: dict[str, Any]) -> str:
    """Return the window and rounds of least wall time for each sensor and spread."""
    best = {(row["machine"], row["spread"]): row for row in study["no_difference"]}
    found = {(row["machine"], row["spread"], row["window_s"]): row for row in study["smallest"]}
    lines = []
    for (machine, spread), clean in best.items():
        row = found[machine, spread, clean["window_s"]]
        alarms = clean["alarms"]
        lines.append([
            machine, f"{100 * spread:g} %", f"{row['window_s']:g} s x {row['rounds']}", f"{row['wall_s'] / 60:.1f} min",
            f"{100 * row['alarms']['rate']:.0f} %",
            f"{100 * alarms['rate']:.2f} % ({100 * alarms['low']:.2f} to {100 * alarms['high']:.2f})",
        ])  # fmt: skip
    header = ["sensor", "between trials", "window x rounds", "wall time", "sees 3 %", "false alarms (95 %)"]
    return _table(header, lines)


def differences(study: dict[str, Any]) -> str:
    """Return the share of comparisons that alarm, by the true difference."""
    rows = study["differences"]
    shown = sorted({row["difference"] for row in rows})
    lines = []
    for machine in dict.fromkeys(row["machine"] for row in rows):
        own = [row for row in rows if row["machine"] == machine]
        label = f"{own[0]['window_s']:g} s x {own[0]['rounds']}"
        lines.append([machine, label, *(f"{100 * row['alarms']['rate']:.1f} %" for row in own)])
    return _table(["sensor", "window x rounds", *(f"+{100 * value:g} %" for value in shown)], lines)


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *lines))


if __name__ == "__main__":
    default = Path(__file__).parents[1] / "docs" / "results" / "gate-energy.json"
    print(tables(json.loads((Path(sys.argv[1]) if len(sys.argv) > 1 else default).read_text())))
