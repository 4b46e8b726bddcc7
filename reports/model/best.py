"""The cells of the results table that are best in their group by more than their intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from joulemark.reports.model.cases import CaseView, Group
from joulemark.suite.results.table import AT_LEAST, Cell, Column

# Emissions rank as energy does, memory has no interval, and low variation is no merit: these are not starred.
_RANKED = ("throughput", "step_time_s", "energy_per_item_j", "first_call_s")


def best_cells(
    columns: Sequence[Column], cases: Sequence[CaseView], allow_estimates: bool = False
) -> frozenset[tuple[str, str]]:
    """Return (case, column) of every cell that beats all others of its group, interval against interval.

    A group that contains an estimate has no best cell unless `allow_estimates`; one that mixes lower bounds with
    complete sums never has one.
    """
    groups: dict[Group, list[CaseView]] = defaultdict(list)
    for view in cases:
        groups[view.group].append(view)
    best = set()
    for views in groups.values():
        for column in columns:
            if column.key in _RANKED and column.better:
                ranked = [(view.key, cell) for view in views if (cell := view.row.cells[column.key]).value is not None]
                if any(cell.kind == "model" for _, cell in ranked) and not allow_estimates:
                    continue
                winner = _winner(ranked, column.better == "higher")
                if winner:
                    best.add((winner, column.key))
    return frozenset(best)


def _winner(ranked: Sequence[tuple[str, Cell]], higher: bool) -> str | None:
    """Return the key of the cell whose interval lies beyond all others', if there is one."""
    if len(ranked) < 2 or len({AT_LEAST in cell.mark for _, cell in ranked}) > 1:
        return None
    for key, cell in ranked:
        if all(_beats(cell, rival, higher) for rival_key, rival in ranked if rival_key != key):
            return key
    return None


def _beats(cell: Cell, rival: Cell, higher: bool) -> bool:
    if cell.low is None or cell.high is None or rival.low is None or rival.high is None:
        return False
    return cell.low > rival.high if higher else cell.high < rival.low
