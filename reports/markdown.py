"""Run files -> a Markdown summary, for places that show neither HTML nor scripts: a pull request, a job's page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reports.model import build
from reports.model.cases import CaseView
from reports.model.report import Report
from suite.markup import escaped, table
from suite.results.records import RunFile, write_text
from suite.results.table import Cell, Column

COLUMNS = ("throughput", "energy_per_item_j", "emissions_g_per_1000_items", "power_w", "peak_memory_bytes", "trials")
"""Columns of the one table that a narrow place has room for."""


def render_markdown(run_files: Sequence[RunFile], anonymous: bool = False) -> str:
    """The summary as Markdown: notices, machine, answer and table, in the order of the page."""
    report = build(run_files, anonymous)
    blocks = [
        f"# {escaped(report.title)}",
        f"**{escaped(report.warnings.verdict)}**",
        _notices(report),
        _systems(report),
        "\n\n".join(escaped(sentence) for sentence in report.headline.sentences),
        escaped(report.headline.caveat),
        _table(report),
        _common(report),
        "Values are geometric means over trials with the 95 % interval between trials; of an estimate (~), which "
        "trials say little of, what it may be off by. ≥ a part is missing. Emissions are facility energy (IT energy x "
        "PUE) x the grid's carbon intensity.",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def write_markdown(run_files: Sequence[RunFile], path: Path, anonymous: bool = False) -> Path:
    """Write the summary to `path` in one step, and return it. UsageError where it cannot be written."""
    write_text(path, render_markdown(run_files, anonymous))
    return path


def _notices(report: Report) -> str:
    notices = []
    for warned in report.warnings.notices:
        affected = f"({warned.affected})" if warned.affected else ""
        said = (warned.notice.message, affected, warned.notice.consequence, warned.notice.remedy)
        notices.append(f"- {' '.join(escaped(part) for part in said if part)}")
    lost = [f"- {lost.status}: {escaped(lost.title)}: {escaped(lost.reason)}" for lost in report.warnings.lost]
    return "\n".join(notices + lost)


def _systems(report: Report) -> str:
    several = len(report.runs) > 1
    return "\n".join(
        (f"- Run {run.label}: " if several else "- ")
        + "; ".join(f"{term}: {escaped(what)}" for term, what in run.system)
        for run in report.runs
    )


def _table(report: Report) -> str:
    columns = [column for column in report.table.columns if column.key in COLUMNS]
    heads = ["Case", "Framework", *(f"{c.title}, {c.unit}" if c.unit else c.title for c in columns)]
    rows = [_cells(view, columns) for view in report.cases if view.current]
    return "\n".join(table(heads, rows, frozenset(range(2, len(heads)))))


def _cells(view: CaseView, columns: Sequence[Column]) -> list[str]:
    case = escaped(view.title) + (f" ({escaped(view.detail)})" if view.detail else "")
    return [case, escaped(view.name), *(_cell(view.row.cells[column.key]) for column in columns)]


def _cell(cell: Cell) -> str:
    if cell.value is None:
        return f"{cell.text}: {escaped(cell.reason or 'no reason given')}"
    return " ".join(part for part in (cell.mark.replace("~", "\\~") + cell.text, cell.interval) if part)


def _common(report: Report) -> str:
    return f"All cases: {escaped(', '.join(report.common))}." if report.common else ""
