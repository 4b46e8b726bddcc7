"""Run files -> a Markdown summary, for places that show neither HTML nor scripts: a pull request, a job's page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from joulemark.reports.escape import for_markdown, markdown_table
from joulemark.reports.model import build
from joulemark.reports.model.cases import CaseView
from joulemark.reports.model.report import Report
from joulemark.suite.records import RunFile, write_text
from joulemark.suite.results.table import Cell, Column

COLUMNS = ("throughput", "energy_per_item_j", "emissions_g_per_1000_items", "power_w", "peak_memory_bytes", "trials")
"""Columns of the one table that a narrow place has room for."""

MAX_BYTES: Final = 65_000
"""GitHub takes 65,536 characters in a comment; a step's summary may be 1 MiB
(https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary)."""


def render_markdown(run_files: Sequence[RunFile], anonymous: bool = False) -> str:
    """The summary as Markdown: notices, machine, answer and table, in the order of the page."""
    report = build(run_files, anonymous)
    blocks = [
        f"# {for_markdown(report.title)}",
        f"**{for_markdown(report.warnings.verdict)}**",
        _notices(report),
        _systems(report),
        "\n\n".join(for_markdown(sentence) for sentence in report.headline.sentences),
        for_markdown(report.headline.caveat),
        _table(report),
        _common(report),
        "Values are geometric means over trials with the 95 % interval between trials; of an estimate (~), which "
        "trials say little of, what it may be off by. ≥ a part is missing. Emissions are facility energy (IT energy x "
        "PUE) x the grid's carbon intensity.",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def render_comment(run_file: RunFile) -> str:
    """The summary; of a table that is too long for a comment, the first rows and how many are left out."""
    text = render_markdown([run_file])
    size = len(text.encode())
    if size <= MAX_BYTES:
        return text
    lines = text.split("\n")
    rows = [i for i, line in enumerate(lines) if line.startswith("| ")][2:]
    dropped: list[int] = []
    while rows and size > MAX_BYTES - 200:
        dropped.append(rows.pop())
        size -= len(lines[dropped[-1]].encode()) + 1
    if not dropped:
        return text
    said = f"\n{len(dropped)} more cases are left out here, to stay within the length of a comment."
    kept = [line for i, line in enumerate(lines) if i not in set(dropped)]
    kept.insert(min(dropped), said)
    return "\n".join(kept)


def write_markdown(run_files: Sequence[RunFile], path: Path, anonymous: bool = False) -> Path:
    """Write the summary to `path` in one step, and return it. UsageError where it cannot be written."""
    write_text(path, render_markdown(run_files, anonymous))
    return path


def _notices(report: Report) -> str:
    notices = []
    for warned in report.warnings.notices:
        affected = f"({warned.affected})" if warned.affected else ""
        said = (warned.notice.message, affected, warned.notice.consequence, warned.notice.remedy)
        notices.append(f"- {' '.join(for_markdown(part) for part in said if part)}")
    lost = [
        f"- {lost.status}: {for_markdown(lost.title)}: {for_markdown(lost.reason)}" for lost in report.warnings.lost
    ]
    return "\n".join(notices + lost)


def _systems(report: Report) -> str:
    several = len(report.runs) > 1
    return "\n".join(
        (f"- Run {run.label}: " if several else "- ")
        + "; ".join(f"{term}: {for_markdown(what)}" for term, what in run.system)
        for run in report.runs
    )


def _table(report: Report) -> str:
    columns = [column for column in report.table.columns if column.key in COLUMNS]
    heads = ["Case", "Framework", *(f"{c.title}, {c.unit}" if c.unit else c.title for c in columns)]
    rows = [_cells(view, columns) for view in report.cases if view.current]
    return "\n".join(markdown_table(heads, rows, frozenset(range(2, len(heads)))))


def _cells(view: CaseView, columns: Sequence[Column]) -> list[str]:
    case = for_markdown(view.title) + (f" ({for_markdown(view.detail)})" if view.detail else "")
    return [case, for_markdown(view.name), *(_cell(view.row.cells[column.key]) for column in columns)]


def _cell(cell: Cell) -> str:
    if cell.value is None:
        return f"{cell.text}: {for_markdown(cell.reason or 'no reason given')}"
    return " ".join(part for part in (cell.mark.replace("~", "\\~") + cell.text, cell.interval) if part)


def _common(report: Report) -> str:
    return f"All cases: {for_markdown(', '.join(report.common))}." if report.common else ""
