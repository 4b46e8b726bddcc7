"""Tables of workloads, planned cases and kept runs, from the documents that `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from joulemark.suite import units
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.tables import AdaptiveTable, Column


def workloads_table(document: Mapping[str, Any]) -> AdaptiveTable:
    """Return the table of `joulemark list`; a workload without size `base` has no numbers."""
    prose = (Column(title, wrap=True) for title in ("Family", "Item", "Sizes", "Phases", "Modes"))
    numbers = (Column(f"{title}\n(base)", right=True, wrap=True) for title in ("Parameters", "GFLOP/item"))
    table = AdaptiveTable("Workload", *prose, *numbers)
    for workload in document["workloads"]:
        base = workload["sizes"].get("base", {"parameters": None, "flops_per_item": {}})
        modes = "; ".join(f"{name}: {' '.join(modes)}" for name, modes in workload["frameworks"].items())
        table.add(
            workload["name"],
            workload["family"],
            workload["item"],
            " ".join(workload["sizes"]),
            " ".join(workload["phases"]),
            modes,
            f"{base['parameters']:,}" if base["parameters"] else "-",
            " ".join(units.significant(value / 1e9) for value in base["flops_per_item"].values()) or "-",
        )
    return table


def cases_table(document: Mapping[str, Any]) -> Text:
    """Return the text of `joulemark list --cases` and `joulemark run --dry-run`: one case per line."""
    cases = document["cases"]
    planned = sum(case["reason"] is None for case in cases)
    lines = [case["id"] if case["reason"] is None else f"{case['id']}  ({one_line(case['reason'])})" for case in cases]
    extent = units.extent(
        planned,
        document["rounds"],
        document.get("max_rounds"),
        document["expected_s"],
        document.get("dropped_rounds", 0),
        document.get("sweep", False),
    )
    return Text("\n".join([*lines, "", f"{extent}."]))


def runs_table(document: Mapping[str, Any]) -> RenderableType:
    """Return the table of `joulemark list --runs`."""
    if not document["runs"]:
        return Text("No runs are kept yet. `joulemark run` makes one.")
    table = AdaptiveTable("Run", "Profile", "Host", "State", Column("Cases", wrap=True))
    for run in document["runs"]:
        if "error" in run:
            table.add(one_line(run["id"]), "", "", Text("unreadable", style="red"), one_line(run["error"]))
            continue
        counts = [f"{count} {status}" for status, count in run["cases"].items() if count]
        if lost := run["trials_lost"]:
            counts.append(f"{units.counted(lost, 'trial')} lost")
        state = "complete" if run["complete"] else "not complete"
        names = (one_line(run[name]) for name in ("id", "profile", "hostname"))
        table.add(*names, state, ", ".join(counts))
    return table
