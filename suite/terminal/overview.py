"""Charts of a run for a terminal: throughput and energy of each task, one bar per framework and mode. Pure."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from typing import Final

from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.table import Column, Row, Table, table
from joulemark.suite.terminal.ascii import to_ascii
from joulemark.suite.terminal.chart import Bar, interval_chart
from joulemark.suite.trial.frameworks import FRAMEWORKS

MAX_TASKS: Final = 8
"""Tasks drawn per chart; the HTML page has all."""

_CHARTS: Final = (("throughput", "longer is faster"), ("energy_per_item_j", "shorter is less"))
_INDENT: Final = "  "


def overview(run_file: RunFile, width: int, ascii: bool = False) -> list[str]:
    """Return lines of at most `width` characters, in ASCII if `ascii`; none if nothing was measured."""
    run_table = table(run_file)
    columns = {column.key: column for column in run_table.columns}
    return [line for key, hint in _CHARTS for line in _chart(run_table, columns[key], hint, width, ascii)]


def _chart(run_table: Table, column: Column, hint: str, width: int, ascii: bool) -> list[str]:
    """Return the chart of one column: a scale for each task, since images and matrix products do not compare.

    A task with one case is left out: on its own scale, its bar would be as long as any other.
    """
    tasks: dict[str, list[Row]] = defaultdict(list)
    for row in run_table.rows:
        if row.cells[column.key].value is not None:
            tasks[_task(row.case, row.settings)].append(row)
    tasks = {task: rows for task, rows in tasks.items() if len(rows) > 1}
    if not tasks:
        return []
    cells = [row.cells[column.key] for rows in tasks.values() for row in rows]
    hints = [hint, "marks are 95 % intervals between trials" if any(cell.low is not None for cell in cells) else ""]
    if any(cell.kind == "model" for cell in cells):
        hints.append(f"{':' if ascii else '░'} is an estimate, which may be off by more")
    head = f"{column.title}, {column.unit} ({'; '.join(filter(None, hints))})"
    lines = ["", *textwrap.wrap(head, width)]
    for task, rows in list(tasks.items())[:MAX_TASKS]:
        bars = [_bar(row, column) for row in rows]
        lines += textwrap.wrap(task, width)
        lines += [_INDENT + line for line in interval_chart(bars, width - len(_INDENT), ascii)]
    if len(tasks) > MAX_TASKS:
        lines.append(f"And {len(tasks) - MAX_TASKS} more: see the page.")
    return [(to_ascii(line) if ascii else line)[:width] for line in lines]


def _task(case: Case, settings: str) -> str:
    """Return what the bars of one group have in common."""
    where = f"{case.device} {case.precision}"
    return f"{case.workload_id} {case.phase}, {case.size}, {where}, batch {case.batch_size}{settings}"


def _bar(row: Row, column: Column) -> Bar:
    cell, framework = row.cells[column.key], FRAMEWORKS.get(row.case.framework)
    label = f"{framework.title if framework else row.case.framework} {row.case.mode}"
    return Bar(label, cell.mark + cell.text, cell.value, cell.low, cell.high, cell.kind == "model")
