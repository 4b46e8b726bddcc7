"""Run files -> a Markdown summary, for places that show neither HTML nor scripts: a pull request, a job's page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from reports.model import build
from reports.model.cases import CaseView
from reports.model.report import Report
from suite.results.records import RunFile, write_text
from suite.results.table import Cell, Column

COLUMNS = ("throughput", "energy_per_item_j", "emissions_g_per_1000_items", "power_w", "peak_memory_bytes", "trials")
"""Columns of the one table that a narrow place has room for."""
MAX_TEXT = 480

# What would be markup in Markdown or in the HTML that it may hold.
_MARKUP = re.compile(r"([\\`*_{}\[\]|~#])")


def render_markdown(run_files: Sequence[RunFile], anonymous: bool = False) -> str:
    """The summary as Markdown: notices, machine, answer and table, in the order of the page."""
    report = build(run_files, anonymous)
    blocks = [
        f"# {_text(report.title)}",
        f"**{_text(report.warnings.verdict)}**",
        _notices(report),
        _systems(report),
        "\n\n".join(_text(sentence) for sentence in report.headline.sentences),
        _text(report.headline.caveat),
        _table(report),
        _common(report),
        "Values are geometric means over trials with the 95 % interval between trials; ~ estimated, ≥ a part is "
        "missing. Emissions are facility energy (IT energy x PUE) x the grid's carbon intensity.",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def write_markdown(run_files: Sequence[RunFile], path: Path, anonymous: bool = False) -> Path:
    """Write the summary to `path` in one step, and return it. UsageError where it cannot be written."""
    write_text(path, render_markdown(run_files, anonymous))
    return path


def _notices(report: Report) -> str:
    notices = [
        f"- {_text(warned.notice.message)} {_text(warned.notice.consequence)} {_text(warned.notice.remedy)}"
        for warned in report.warnings.notices
    ]
    lost = [f"- {lost.status}: {_text(lost.title)}: {_text(lost.reason)}" for lost in report.warnings.lost]
    return "\n".join(notices + lost)


def _systems(report: Report) -> str:
    several = len(report.runs) > 1
    return "\n".join(
        (f"- Run {run.label}: " if several else "- ") + "; ".join(f"{term}: {_text(what)}" for term, what in run.system)
        for run in report.runs
    )


def _table(report: Report) -> str:
    columns = [column for column in report.table.columns if column.key in COLUMNS]
    heads = ["Case", "Framework", *(f"{c.title}, {c.unit}" if c.unit else c.title for c in columns)]
    lines = [_line(heads), _line(["---", "---", *("--:" for _ in columns)])]
    lines += [_line(_cells(view, columns)) for view in report.cases if view.current]
    return "\n".join(lines)


def _cells(view: CaseView, columns: Sequence[Column]) -> list[str]:
    case = _text(view.title) + (f" ({_text(view.detail)})" if view.detail else "")
    return [case, _text(view.name), *(_cell(view.row.cells[column.key]) for column in columns)]


def _cell(cell: Cell) -> str:
    if cell.value is None:
        return f"{cell.text}: {_text(cell.reason or 'no reason given')}"
    return " ".join(part for part in (cell.mark.replace("~", "\\~") + cell.text, cell.interval) if part)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _common(report: Report) -> str:
    return f"All cases: {_text(', '.join(report.common))}." if report.common else ""


def _text(text: str) -> str:
    """`text` in one line, shortened, with nothing in it that Markdown or HTML would act on."""
    line = " ".join(text.split())
    if len(line) > MAX_TEXT:
        line = line[: MAX_TEXT - 1] + "…"
    return _MARKUP.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
