"""Run files -> a Markdown summary, for places that show neither HTML nor scripts: pull requests, CI job pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from joulemark.reports.escape import for_markdown, markdown_table
from joulemark.reports.model import Report, build
from joulemark.reports.model.cases import CaseView
from joulemark.suite.records import RunFile, write_text
from joulemark.suite.results.table import Cell, Column

COLUMNS = ("throughput", "energy_per_item_j", "emissions_g_per_1000_items", "power_w", "peak_memory_bytes", "trials")
"""Columns of the results table that a narrow place has room for."""

MAX_BYTES: Final = 65_000
"""GitHub takes 65,536 characters in a comment; the summary of a step may be 1 MiB
(https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary)."""

_LEGEND: Final = (
    "Values are geometric means over trials with the 95 % confidence interval over trials in [ ]. For an estimate (~) "
    "the range in ( ) is the error range of the estimate, about which trials say little. ≥ marks a lower bound: "
    "a component was not measured. Emissions are facility energy (IT energy x PUE) x the grid's carbon intensity."
)


def render_markdown(run_files: Sequence[RunFile], anonymous: bool = False) -> str:
    """Return the summary as Markdown: notices, machine, headline and table, in the order of the page."""
    report = build(run_files, anonymous)
    blocks = [
        f"# {for_markdown(report.title)}",
        f"**{for_markdown(report.warnings.verdict)}**",
        _warnings(report),
        _systems(report),
        "\n\n".join(for_markdown(sentence) for sentence in (*report.headline.sentences, *report.headline.details)),
        for_markdown(report.headline.caveat),
        _table(report),
        f"All cases: {for_markdown(', '.join(report.common))}." if report.common else "",
        _LEGEND,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def render_comment(run_file: RunFile) -> str:
    """Return the summary, cut to the length of a comment: the last rows of a long table are left out and counted."""
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
    kept = [line for i, line in enumerate(lines) if i not in set(dropped)]
    kept.insert(min(dropped), f"\n{len(dropped)} more cases are left out to stay within the length of a comment.")
    return "\n".join(kept)


def write_markdown(run_files: Sequence[RunFile], path: Path, anonymous: bool = False) -> Path:
    """Write the summary to `path` atomically, and return it. Raises UsageError if it cannot be written."""
    write_text(path, render_markdown(run_files, anonymous))
    return path


def _warnings(report: Report) -> str:
    lines = []
    for group in report.warnings.notices:
        affected = f"({group.affected})" if group.affected else ""
        texts = (group.notice.message, affected, group.notice.consequence, group.notice.remedy)
        lines.append(f"- {' '.join(for_markdown(text) for text in texts if text)}")
    for case in report.warnings.failed:
        lines.append(f"- {case.status}: {for_markdown(case.title)}: {for_markdown(case.reason)}")
    return "\n".join(lines)


def _systems(report: Report) -> str:
    several_runs = len(report.runs) > 1
    return "\n".join(
        (f"- Run {run.label}: " if several_runs else "- ")
        + "; ".join(f"{term}: {for_markdown(description)}" for term, description in run.system)
        for run in report.runs
    )


def _table(report: Report) -> str:
    columns = [column for column in report.table.columns if column.key in COLUMNS]
    heads = ["Case", "Framework", *(f"{c.title}, {c.unit}" if c.unit else c.title for c in columns)]
    rows = [_table_row(view, columns) for view in report.cases if view.current]
    return "\n".join(markdown_table(heads, rows, frozenset(range(2, len(heads)))))


def _table_row(view: CaseView, columns: Sequence[Column]) -> list[str]:
    case = for_markdown(view.title) + (f" ({for_markdown(view.detail)})" if view.detail else "")
    return [case, for_markdown(view.name), *(_cell_text(view.row.cells[column.key]) for column in columns)]


def _cell_text(cell: Cell) -> str:
    if cell.value is None:
        return f"{cell.text}: {for_markdown(cell.reason or 'no reason given')}"
    return " ".join(text for text in (cell.mark.replace("~", "\\~") + cell.text, cell.interval) if text)
