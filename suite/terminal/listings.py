"""Tables of workloads, planned cases and kept runs, from the documents that `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from joulemark.suite import units
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.tables import AdaptiveTable, Column


def workloads_table(document: Mapping[str, Any]) -> RenderableType:
    """Return the table of `joulemark list`; a workload without size `base` has no numbers.

    Sizes and modes that all workloads have stand once below it.
    """
    workloads = document["workloads"]
    shared = [] if len(workloads) < 2 else [size for size in workloads[0]["sizes"] if _in_all(size, workloads)]
    sizes = [" ".join(size for size in each["sizes"] if size not in shared) for each in workloads]
    modes = ["; ".join(f"{name}: {' '.join(of)}" for name, of in each["frameworks"].items()) for each in workloads]
    alike = len(workloads) > 1 and len(set(modes)) == 1
    own = {"Other sizes" if shared else "Sizes": sizes} if any(sizes) else {}
    own |= {} if alike else {"Modes": modes}
    numbers = (Column(f"{title}\n(base)", right=True, wrap=True) for title in ("Parameters", "GFLOP/item"))
    prose = ("Family", "Item", "Phases", *own)
    table = AdaptiveTable("Workload", *(Column(title, wrap=True) for title in prose), *numbers)
    for i, workload in enumerate(workloads):
        base = workload["sizes"].get("base", {"parameters": None, "flops_per_item": {}})
        table.add(
            workload["name"],
            workload["family"],
            workload["item"],
            " ".join(workload["phases"]),
            *(texts[i] for texts in own.values()),
            f"{base['parameters']:,}" if base["parameters"] else "-",
            " ".join(units.significant(value / 1e9) for value in base["flops_per_item"].values()) or "-",
        )
    below = [f"Sizes of each: {' '.join(shared)}"] if shared else []
    below += [f"Modes of each: {modes[0]}"] if alike else []
    return Group(table, Text("\n" + "\n".join(below))) if below else table


def _in_all(size: str, workloads: Sequence[Mapping[str, Any]]) -> bool:
    return all(size in workload["sizes"] for workload in workloads)


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
