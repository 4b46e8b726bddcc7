"""Series over time -> one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from joulemark import __version__
from joulemark.reports import html, library
from joulemark.reports.figures.over_time import ROWS, over_time
from joulemark.suite.results.history.series import Series


def write(found: Sequence[Series], path: Path, plotlyjs: str = library.EMBED) -> Path:
    """Write the page of `found` to `path` in one step. Returns `path`. UsageError where it cannot be written."""
    return html.write_page(path, render(found, plotlyjs), plotlyjs)


def render(found: Sequence[Series], plotlyjs: str = library.EMBED) -> str:
    """The page of `found` as one HTML document. UsageError for a place of Plotly's library that is none."""
    groups: dict[str, list[Series]] = {}
    for one in found:
        groups.setdefault(f"{one.case}, {one.hostname} ({one.fingerprint}), version {one.workload_version}", []).append(
            one
        )
    cases, drawn = [], 0
    for title, own in groups.items():
        cases.append((title, over_time(own, drawn)))
        drawn += len(own)
    return html.figures_page(
        "over_time.html",
        [figure for _, figures in cases for figure in figures],
        ("format.js", "charts.js", "over_time.js"),
        plotlyjs,
        cases=cases,
        reading=next((figure.reading for _, figures in cases for figure in figures), ""),
        empty=[one for one in found if not one.points],
        rows=ROWS,
        version=__version__,
    )
