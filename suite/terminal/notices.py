"""The notices of a run, one line each, with a remedy that several of them share below the last."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice, RunFile, worst
from joulemark.suite.system.text import one_line
from joulemark.suite.units import counted

_Entries = list[tuple[Notice, Case | None]]
"""Notices of one code, each with its case; None for that of the whole run."""


def notice_lines(run_file: RunFile) -> list[Text]:
    """Return one line per code, with its worst notice and the cases that have it, and one line per remedy."""
    by_code: dict[Code, _Entries] = {}
    for notice in run_file.notices:
        by_code.setdefault(notice.code, []).append((notice, None))
    for case in run_file.cases:
        for notice in case.notices:
            by_code.setdefault(notice.code, []).append((notice, case))
    by_remedy: dict[str, list[str]] = {}
    for entries in by_code.values():
        shown = worst(notice for notice, _ in entries)
        line = f"! {shown.message}{_where(shown, entries, run_file.cases)}"
        by_remedy.setdefault(shown.remedy, []).append(one_line(line))
    lines = [line for remedy, messages in by_remedy.items() for line in (*messages, f"  {one_line(remedy)}")]
    return [Text(line, style="yellow") for line in ("", *lines)] if lines else []


def _where(shown: Notice, entries: _Entries, cases: Sequence[Case]) -> str:
    """Return the cases that have a notice; empty for one of the whole run."""
    ids = list(dict.fromkeys(case.id for notice, case in sorted(entries, key=lambda e: e[0] is not shown) if case))
    if len(ids) < 2:
        return f" [{ids[0]}]" if ids else ""
    if len({notice.message for notice, _ in entries}) > 1:
        if isinstance(shown.value, float):
            return f" [worst of {counted(len(ids), 'case')}: {ids[0]}]"
        return f" [{ids[0]}; {counted(len(ids) - 1, 'case')} with others]"
    measured = sum(case.status == "ok" for case in cases)
    return " [all cases]" if len(ids) == measured else f" [{counted(len(ids), 'case')}]"
