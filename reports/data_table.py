"""Data tables: the numbers of a figure as text, for readers who cannot see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TableValue = str | float | int | None
"""None means "not measured"."""


@dataclass(frozen=True)
class DataTable:
    """Headings and rows of equal width; the first column names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[TableValue, ...], ...]
    column: str = ""
    """Key of the results column whose numbers these are, which a page then holds once; empty for others."""

    def __post_init__(self) -> None:
        """Raise ValueError if a row is not as wide as the head."""
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"row {row[:1]} has {len(row)} cells for {len(self.head)} columns")


def data_table(head: Sequence[str], rows: Iterable[Sequence[TableValue]], column: str = "") -> DataTable:
    """Return a DataTable made of any sequences."""
    return DataTable(tuple(head), tuple(tuple(row) for row in rows), column)
