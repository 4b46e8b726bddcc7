"""Series of cases over time -> the page of `joulemark history`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from joulemark import __version__
from joulemark.reports import html, plotly_library
from joulemark.reports.history_figure import TABLE_ROWS, history_figures
from joulemark.suite.results.history.series import Series


def write(series: Sequence[Series], path: Path, plotlyjs: str = plotly_library.EMBED) -> Path:
    """Write the page of `series` to `path` atomically, and return `path`. Raises UsageError if it cannot be written."""
    return html.write_page(path, render(series, plotlyjs), plotlyjs)


def render(series: Sequence[Series], plotlyjs: str = plotly_library.EMBED) -> str:
    """Return the page of `series` as one HTML document. Raises UsageError if `plotlyjs` is none of its four kinds."""
    by_title: dict[str, list[Series]] = {}
    for of_case in series:
        title = f"{of_case.case}, {of_case.hostname} ({of_case.fingerprint}), version {of_case.workload_version}"
        by_title.setdefault(title, []).append(of_case)
    cases, first_number = [], 0
    for title, of_title in by_title.items():
        cases.append((title, history_figures(of_title, first_number)))
        first_number += len(of_title)
    drawn = [figure for _, figures in cases for figure in figures]
    return html.render_figures(
        "history.html",
        drawn,
        ("format.js", "charts.js", "history.js"),
        plotlyjs,
        cases=cases,
        how_to_read=drawn[0].how_to_read if drawn else "",
        empty=[of_case for of_case in series if not of_case.points],
        table_rows=TABLE_ROWS,
        version=__version__,
    )
