"""Which cell of a group is best by more than its interval: bold and starred in the table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from joulemark.reports.model.cases import CaseView, Group
from joulemark.suite.results.table import AT_LEAST, Cell, Column

# Grams rank as joules do, memory has no interval, and variation is no merit: these are not starred.
_RANKED = ("throughput", "step_time_s", "energy_per_item_j", "first_call_s")


def best_cells(
    columns: Sequence[Column], cases: Sequence[CaseView], allow_estimates: bool = False
) -> frozenset[tuple[str, str]]:
    """(case, column) of every cell that beats all others of its group, interval against interval.

    A group with an estimate in it has no best unless `allow_estimates`, and one with lower bounds beside whole sums
    has none at all.
    """
    groups: dict[Group, list[CaseView]] = defaultdict(list)
    for view in cases:
        groups[view.group].append(view)
    found = set()
    for views in groups.values():
        for column in columns:
            if column.key in _RANKED and column.better:
                ranked = [(view.key, cell) for view in views if (cell := view.row.cells[column.key]).value is not None]
                estimated = any(cell.kind == "model" for _, cell in ranked)
                if estimated and not allow_estimates:
                    continue
                winner = _winner(ranked, column.better == "higher")
                if winner:
                    found.add((winner, column.key))
    return frozenset(found)


def _winner(ranked: Sequence[tuple[str, Cell]], higher: bool) -> str | None:
    """The key of the one cell whose interval lies beyond all others'; None where there is none."""
    if len(ranked) < 2 or len({AT_LEAST in cell.mark for _, cell in ranked}) > 1:
        return None
    for key, cell in ranked:
        others = [other for name, other in ranked if name != key]
        if all(_beats(cell, other, higher) for other in others):
            return key
    return None


def _beats(one: Cell, other: Cell, higher: bool) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low > other.high if higher else one.high < other.low
