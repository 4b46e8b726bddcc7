"""The numbers that dashboards get of each case, under names that never mix measurements with estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.results.table import AT_LEAST, ESTIMATED, Cell, Column, Row, Table, table

KEYS: Final = (
    "throughput", "step_time_s", "energy_per_item_j", "emissions_g_per_1000_items", "first_call_s", "peak_memory_bytes",
    "ttft_p50_s", "tpot_p50_s", "energy_per_prompt_token_j", "energy_per_decoded_token_j",
)  # fmt: skip
"""Columns that a dashboard plots over time. Emissions move with the grid too: set alerts on energy."""


@dataclass(frozen=True)
class Measure:
    """One number of one case."""

    column: Column
    cell: Cell
    value: float
    """In `column.raw_unit`."""

    @property
    def qualifier(self) -> str:
        """`estimated`, `at least`, both, or empty: part of the name of a series, so that tools keep kinds apart."""
        qualifiers = (("estimated", ESTIMATED), ("at least", AT_LEAST))
        return " ".join(label for label, mark in qualifiers if mark in self.cell.mark)

    @property
    def label(self) -> str:
        """Interval, trials, kind and reason, for people."""
        cell = self.cell
        has_interval = cell.low is not None and cell.high is not None
        parts = [
            f"95 % interval [{cell.low:.6g}, {cell.high:.6g}] {self.column.raw_unit}" if has_interval else "",
            f"{cell.n} trials" if cell.n != 1 else "1 trial",
            f"energy: {cell.kind}" if cell.kind else "",
            cell.reason or "",
        ]
        return "; ".join(part for part in parts if part)


def measures(run_file: RunFile, format_name: str) -> list[tuple[Row, list[Measure]]]:
    """Return the rows that have numbers, with these. Raises UsageError without any: tools take that for a mistake."""
    run_table = table(run_file)
    candidates = ((row, _measures_of(run_table, row)) for row in run_table.rows if row.status == "ok")
    rows = [(row, row_measures) for row, row_measures in candidates if row_measures]
    if not rows:
        raise no_numbers(run_file, format_name)
    return rows


def no_numbers(run_file: RunFile, format_name: str) -> UsageError:
    """Return the error for a run without numbers, in a format that cannot hold reasons."""
    return UsageError(
        f"run {run_file.run.id} has no case with a number, and {format_name} can hold nothing else. "
        "Export it as junit, csv or markdown, which hold the reasons."
    )


def _measures_of(run_table: Table, row: Row) -> list[Measure]:
    cells = ((column, row.cells[column.key]) for column in run_table.columns if column.key in KEYS)
    return [Measure(column, cell, cell.value) for column, cell in cells if cell.value is not None]
