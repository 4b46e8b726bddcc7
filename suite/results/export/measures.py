"""What dashboards get of each case: its numbers under names that never mix a measurement with an estimate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.results.table import AT_LEAST, ESTIMATED, Cell, Column, Row, Table, table
from joulemark.suite.stats.metrics import Better

KEYS: Final = (
    "throughput",
    "step_time_s",
    "energy_per_item_j",
    "emissions_g_per_1000_items",
    "first_call_s",
    "peak_memory_bytes",
)
"""Columns of the one table that a dashboard plots over time. Emissions move with the grid too: gate on energy."""


@dataclass(frozen=True)
class Measure:
    """One number of one case."""

    column: Column
    cell: Cell
    value: float
    """In `column.raw_unit`."""

    @property
    def better(self) -> Better | None:
        """Which direction is."""
        return self.column.better

    @property
    def qualifier(self) -> str:
        """`estimated`, `at least`, both, or empty: part of a series' name, so that no tool can compare unlike kinds."""
        words = (("estimated", ESTIMATED), ("at least", AT_LEAST))
        return " ".join(word for word, mark in words if mark in self.cell.mark)

    @property
    def words(self) -> str:
        """For people: interval, trials, kind and reason."""
        cell = self.cell
        known = cell.low is not None and cell.high is not None
        parts = [
            f"95 % interval [{cell.low:.6g}, {cell.high:.6g}] {self.column.raw_unit}" if known else "",
            f"{cell.n} trials" if cell.n != 1 else "1 trial",
            f"energy: {cell.kind}" if cell.kind else "",
            cell.reason or "",
        ]
        return "; ".join(part for part in parts if part)


def measures(run_file: RunFile, wanted: str) -> list[tuple[Row, list[Measure]]]:
    """The numbers of each case that has any, in the table's order; what is not measured is not among them.

    UsageError where no case has one: tools take an empty file for a mistake. `wanted` names the format.
    """
    found = table(run_file)
    rows = [(row, list(_of(found, row))) for row in found.rows]
    kept = [(row, some) for row, some in rows if some]
    if not kept:
        raise UsageError(
            f"run {run_file.run.id} has no case with a number, and {wanted} holds nothing else. "
            "Export it as junit, csv or markdown, which hold reasons."
        )
    return kept


def _of(found: Table, row: Row) -> Iterator[Measure]:
    if row.status != "ok":
        return
    for column in found.columns:
        cell = row.cells[column.key]
        if column.key in KEYS and cell.value is not None:
            yield Measure(column, cell, cell.value)
