"""The small table that stands under a figure: the same numbers for those who cannot see the figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Item = str | float | int | None
"""None is "not measured"."""


@dataclass(frozen=True)
class Grid:
    """Headings and rows of equal width; the first column names the row."""

    head: tuple[str, ...]
    rows: tuple[tuple[Item, ...], ...]
    column: str = ""
    """Key of the results' column that the numbers are of, so that a page need not say them twice; empty for others."""

    def __post_init__(self) -> None:
        """ValueError where a row is not as wide as the head."""
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"row {row[:1]} has {len(row)} cells for {len(self.head)} columns")


def grid(head: Sequence[str], rows: Iterable[Sequence[Item]], column: str = "") -> Grid:
    """A grid of any sequences."""
    return Grid(tuple(head), tuple(tuple(row) for row in rows), column)
