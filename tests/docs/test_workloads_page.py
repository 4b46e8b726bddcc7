"""docs/workloads.md is what the specs say."""

from __future__ import annotations

import re

from places import DOCS

from joulemark.workloads.document import document
from joulemark.workloads.registry import workloads

PAGE = DOCS / "workloads.md"


def test_page_is_current() -> None:
    assert PAGE.read_text() == document(), "run: python -m joulemark.workloads.document > docs/workloads.md"


def test_no_workload_is_missing() -> None:
    page = document()
    for workload in workloads().values():
        assert f"| {workload.id} |" in page
        assert f"- **{workload.id}**: {workload.title}" in page


def _optimised() -> dict[str, tuple[str, str]]:
    """Return the cells of weight decay and clipping by workload, of the page's table of what papers train with."""
    section = document().partition("## What papers train with")[2].partition("\n\n**")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| ")]
    return {name: (decay, clipping) for names, decay, clipping, *_ in rows[1:] for name in names.split(", ")}


def test_weight_decay_and_clipping_of_each_optimizer_stand_in_the_table() -> None:
    table = _optimised()
    for workload in workloads().values():
        if workload.optimizer is not None:
            decay, clipping = table.get(workload.id) or table.get(workload.name) or table["others"]
            stated = re.match(r"[\d.e-]+", decay)
            assert (float(stated[0]) if stated else 0.0) == workload.optimizer.weight_decay, workload.id
            norm = re.match(r"norm ([\d.]+)", clipping)
            assert (float(norm[1]) if norm else None) == workload.optimizer.clip_norm, workload.id
    assert set(table) - {"others"} <= {name for each in workloads().values() for name in (each.id, each.name)}
