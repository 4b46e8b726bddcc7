"""A run in small charts for a terminal: throughput and energy of each work, frameworks under one another. Pure."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from typing import Final

from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.table import Column, Table, table
from joulemark.suite.results.table import Row as TableRow
from joulemark.suite.terminal import ascii as plain
from joulemark.suite.terminal.chart import Row, spans
from joulemark.suite.trial.frameworks import FRAMEWORKS

MOST: Final = 8
"""Works with a chart: a terminal is no page."""

_CHARTS: Final = (("throughput", "longer is faster"), ("energy_per_item_j", "shorter is less"))
_INDENT: Final = "  "


def overview(run_file: RunFile, width: int, ascii: bool = False) -> list[str]:
    """Lines of at most `width` characters, `ascii` ones alone where asked; none where nothing was measured."""
    found = table(run_file)
    lines: list[str] = []
    for key, hint in _CHARTS:
        column = next(column for column in found.columns if column.key == key)
        lines += _chart(found, column, hint, width, ascii)
    return lines


def _chart(found: Table, column: Column, hint: str, width: int, ascii: bool) -> list[str]:
    """Each work on a scale of its own: images and matrix products are not held against each other."""
    works: dict[str, list[TableRow]] = defaultdict(list)
    for row in found.rows:
        if row.cells[column.key].value is not None:
            works[_work(row.case, row.settings)].append(row)
    if not works:
        return []
    estimated = any(row.cells[column.key].kind == "model" for rows in works.values() for row in rows)
    hatch = f"; {':' if ascii else '░'} is an estimate, which may be off by more" if estimated else ""
    head = f"{column.title}, {column.unit} ({hint}; marks are 95 % intervals between trials{hatch})"
    lines = ["", *textwrap.wrap(head, width)]
    for work, rows in list(works.items())[:MOST]:
        lines += [
            *textwrap.wrap(work, width),
            *(_INDENT + line for line in spans([_row(row, column) for row in rows], width - 2, ascii)),
        ]
    if len(works) > MOST:
        lines.append(f"And {len(works) - MOST} more: the page has all.")
    shown = [plain.ascii(line) for line in lines] if ascii else lines
    return [line if len(line) <= width else line[:width] for line in shown]


def _work(case: Case, settings: str) -> str:
    workload = f"{case.workload}.{case.variant}" if case.variant else case.workload
    return f"{workload} {case.phase}, {case.size}, {case.device} {case.precision}, batch {case.batch_size}{settings}"


def _row(row: TableRow, column: Column) -> Row:
    cell, known = row.cells[column.key], FRAMEWORKS.get(row.case.framework)
    label = f"{known.title if known else row.case.framework} {row.case.mode}"
    return Row(label, cell.mark + cell.text, cell.value, cell.low, cell.high, cell.kind == "model")
