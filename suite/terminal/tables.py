"""A table that adapts to the width of the terminal without dropping or cutting a value, verdict or id.

A row takes one line if all rows fit that way. In a narrower terminal the first cell gets a line of its own with the
other cells below it; in a very narrow one every cell does. Piped output has one line per row, however long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_GAP: Final = 2
_INDENT: Final = 2
_MAX_WORD_WIDTH: Final = 60
"""Longer words in a wrapping column are folded."""


@dataclass(frozen=True)
class Column:
    """A column. A title of several lines is joined into one where only that fits."""

    title: str
    right: bool = False
    wrap: bool = False
    """Cells are prose, which may continue on the next line."""


class AdaptiveTable:
    """A table for a terminal. The first column labels the row; an empty label means the same as the row above. The
    lines of a multi-line cell are joined where there is room, except in columns that wrap."""

    def __init__(self, *columns: Column | str) -> None:
        self._columns = [Column(column) if isinstance(column, str) else column for column in columns]
        self._rows: list[list[Text]] = []

    def add(self, *cells: str | Text) -> None:
        """Append a row; missing cells are empty."""
        texts = [Text(cell) if isinstance(cell, str) else cell for cell in cells]
        self._rows.append([*texts, *(Text() for _ in self._columns[len(texts) :])])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        joined = [list(map(_joined, self._columns, row)) for row in self._rows]
        available = options.max_width if console.is_terminal else None
        if (widths := _column_widths(self._columns, joined, available)) is not None:
            yield _rich_table(self._columns, widths, joined)
        else:
            yield from self._stacked(options.max_width - _INDENT)

    def _stacked(self, available: int) -> Iterator[RenderableType]:
        """Yield the rows with their first cell on a line of its own."""
        columns, rows = self._columns[1:], [row[1:] for row in self._rows]
        widths = _column_widths(columns, rows, available)
        if widths is not None:
            yield _indented(_rich_table(columns, widths, []))
        for number, row in enumerate(self._rows, 1):
            if row[0].plain:
                yield _unbroken(row[0])
            if widths is not None:
                yield _indented(_rich_table(columns, widths, [row[1:]], header=False))
                continue
            for column, cell in zip(columns, row[1:], strict=True):
                if cell.plain:
                    yield _indented(_titled(column, cell, available))
            if number < len(self._rows):
                yield Text()


def _column_widths(
    columns: Sequence[Column], rows: Sequence[Sequence[Text]], available: int | None
) -> list[int] | None:
    """Return the width of each column, at most that of its widest line; None if they need more than `available`."""
    widths, widest = [], []
    for i, column in enumerate(columns):
        title, cells = Text(column.title), [row[i] for row in rows]
        widest.append(max(map(_line_width, [title, *cells])))
        word = min(_MAX_WORD_WIDTH, max(map(_word_width, cells), default=0))
        cell = word if column.wrap else max(map(_line_width, cells), default=0)
        widths.append(max(_word_width(title), cell))
    if available is None:
        return widest
    spare = available - sum(widths) - _GAP * (len(columns) - 1)
    if spare < 0:
        return None
    for _ in range(min(spare, sum(widest) - sum(widths))):
        widths[min((i for i, width in enumerate(widths) if width < widest[i]), key=widths.__getitem__)] += 1
    return widths


def _line_width(text: Text) -> int:
    return max((Text(line).cell_len for line in text.plain.split("\n")), default=0)


def _word_width(text: Text) -> int:
    return max((Text(word).cell_len for word in text.plain.split()), default=0)


def _rich_table(
    columns: Sequence[Column], widths: Sequence[int], rows: Sequence[Sequence[Text]], header: bool = True
) -> Table:
    total = sum(widths) + _GAP * (len(widths) - 1)
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=header, width=total)
    for column, width in zip(columns, widths, strict=True):
        title = Text(column.title)
        table.add_column(title, justify="right" if column.right else "left", width=width, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _titled(column: Column, cell: Text, available: int) -> Text:
    """Return a cell with its title in front, or above where both are too long for one line."""
    title, value = ", ".join(column.title.split("\n")), _joined(column, cell)
    line = Text.assemble(f"{title}: ", value) if title else value
    return line if line.cell_len <= available or column.wrap else Text.assemble(f"{title}:\n", cell)


def _joined(column: Column, cell: Text) -> Text:
    """Return the lines of a value as one; prose stays as it is."""
    return cell if column.wrap else Text(" ", style=cell.style).join(cell.split("\n"))


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, _INDENT), expand=False)


def _unbroken(text: Text) -> Text:
    """Return `text` in one piece at any width: the terminal breaks it, and it can still be copied."""
    copy = text.copy()
    copy.no_wrap, copy.overflow = True, "ignore"
    return copy
