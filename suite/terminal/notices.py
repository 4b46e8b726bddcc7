"""The notices of a run, one line each."""

from __future__ import annotations

from rich.text import Text

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice, RunFile, worst
from joulemark.suite.units import counted


def notice_lines(run_file: RunFile) -> list[Text]:
    """Return one line per code: its worst notice, the case it is about, and how many other cases have it."""
    by_code: dict[Code, list[tuple[Notice, Case | None]]] = {}
    for notice in run_file.notices:
        by_code.setdefault(notice.code, []).append((notice, None))
    for case in run_file.cases:
        for notice in case.notices:
            by_code.setdefault(notice.code, []).append((notice, case))
    lines = [Text("")] if by_code else []
    for entries in by_code.values():
        shown = worst(notice for notice, _ in entries)
        shown_case = next(case for notice, case in entries if notice is shown)
        others = {case.id for _, case in entries if case is not None and case is not shown_case}
        where = f" [{shown_case.id}]" if shown_case else ""
        more = f" And {counted(len(others), 'more case')}." if others else ""
        lines.append(Text(f"! {shown.message}{where}{more} {shown.remedy}", style="yellow"))
    return lines
