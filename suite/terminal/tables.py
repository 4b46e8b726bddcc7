"""Tables that lose nothing where a terminal is narrow: no value, verdict or id is dropped or cut.

A row is one line where that fits; else its first cell stands on a line of its own and the others under it; else each
cell does. What is piped has one line a row, however long.
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
_LONG_WORD: Final = 60
"""Longer words of a column that wraps are folded rather than given so much room."""


@dataclass(frozen=True)
class Column:
    """One column; lines of its title stand over one another where there is room."""

    title: str
    right: bool = False
    wraps: bool = False
    """Whether its cells are words that may go on in the next line."""


class Fitted:
    """A table whose first column says what a row is of; empty where that is the row before.

    Lines of a cell stand beside one another where there is room, but for those of a column that wraps.
    """

    def __init__(self, *columns: Column | str) -> None:
        self._columns = [Column(column) if isinstance(column, str) else column for column in columns]
        self._rows: list[list[Text]] = []

    def add(self, *cells: str | Text) -> None:
        """A row; cells that are left out are empty."""
        texts = [Text(cell) if isinstance(cell, str) else cell for cell in cells]
        self._rows.append([*texts, *(Text() for _ in self._columns[len(texts) :])])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        flat = [[_flat(column, cell) for column, cell in zip(self._columns, row, strict=True)] for row in self._rows]
        room = options.max_width if console.is_terminal else None
        if (widths := _widths(self._columns, flat, room)) is not None:
            yield _table(self._columns, widths, flat)
            return
        columns, rows = self._columns[1:], [row[1:] for row in self._rows]
        under = _widths(columns, rows, options.max_width - _INDENT)
        if under is not None:
            yield _indented(_table(columns, under, []))
        for number, row in enumerate(self._rows, 1):
            if row[0].plain:
                yield _whole(row[0])
            if under is not None:
                yield _indented(_table(columns, under, [row[1:]], heads=False))
                continue
            for column, cell in zip(columns, row[1:], strict=True):
                if cell.plain:
                    yield _indented(_named(column, cell, options.max_width - _INDENT))
            if number < len(self._rows):
                yield Text()


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Text]], room: int | None) -> list[int] | None:
    """Of each column, none wider than its widest line; None where `room` characters do not hold them all."""
    widths, widest = [], []
    for i, column in enumerate(columns):
        title, cells = Text(column.title), [row[i] for row in rows]
        widest.append(max(map(_line, [title, *cells])))
        words = min(_LONG_WORD, max(map(_word, cells), default=0))
        widths.append(max(_word(title), words if column.wraps else max(map(_line, cells), default=0)))
    if room is None:
        return widest
    spare = room - sum(widths) - _GAP * (len(columns) - 1)
    if spare < 0:
        return None
    for _ in range(spare):
        short = [i for i, width in enumerate(widths) if width < widest[i]]
        if not short:
            break
        widths[min(short, key=widths.__getitem__)] += 1
    return widths


def _line(text: Text) -> int:
    """Width of its widest line."""
    return max((Text(line).cell_len for line in text.plain.split("\n")), default=0)


def _word(text: Text) -> int:
    """Width of its widest word."""
    return max((Text(word).cell_len for word in text.plain.split()), default=0)


def _table(
    columns: Sequence[Column], widths: Sequence[int], rows: Sequence[Sequence[Text]], heads: bool = True
) -> Table:
    total = sum(widths) + _GAP * (len(widths) - 1)
    shown = Table(box=None, pad_edge=False, header_style="bold", show_header=heads, width=total)
    for column, width in zip(columns, widths, strict=True):
        shown.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            width=width,
            overflow="fold",
        )
    for row in rows:
        shown.add_row(*row)
    return shown


def _named(column: Column, cell: Text, room: int) -> Text:
    """One cell with its title: beside it, or, where that is too long, above."""
    name, flat = ", ".join(column.title.split("\n")), _flat(column, cell)
    beside = Text.assemble(f"{name}: ", flat) if name else flat
    return beside if beside.cell_len <= room or column.wraps else Text.assemble(f"{name}:\n", cell)


def _flat(column: Column, cell: Text) -> Text:
    """The lines of a value in one; those of words stay."""
    return cell if column.wraps else Text(" ", style=cell.style).join(cell.split("\n"))


def _indented(shown: RenderableType) -> Padding:
    return Padding(shown, (0, 0, 0, _INDENT), expand=False)


def _whole(text: Text) -> Text:
    """In one piece, whatever the width: the terminal breaks it, and it can still be copied."""
    whole = text.copy()
    whole.no_wrap, whole.overflow = True, "ignore"
    return whole
