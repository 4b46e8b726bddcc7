"""Run files -> one page: what it says is in `model` and `figures`, how it is filled in in `templating`."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joulemark.reports import library
from joulemark.reports.figures import Figure, figures, sections
from joulemark.reports.figures.rows import slices
from joulemark.reports.marks import SHAPES
from joulemark.reports.model import Report, Zone, build
from joulemark.reports.model.anonymous import pathless
from joulemark.reports.model.answer import TILES, Answer
from joulemark.reports.model.embedded import again
from joulemark.reports.model.grid import Grid, Item
from joulemark.reports.model.whatif import ON_GRID, formulas, whatif
from joulemark.reports.templating import asset, digits, environment, inert_json, script
from joulemark.reports.theme import TEMPLATES
from joulemark.suite.records import RunFile, write_text
from joulemark.suite.results.intensity_kind import INTENSITY_KINDS
from joulemark.suite.results.validity import CARBON_CODES

_LONG, _FEW = 200, 40
"""Rows of a data table under a figure above which markup holds only `_FEW` of them: it is three times its numbers."""
_SCRIPTS = (
    "format.js",
    "charts.js",
    "table.js",
    "whatif.js",
    "whatif_charts.js",
    "whatif_form.js",
    "tiles.js",
    "page.js",
)
_FIRST = (("answer", "Answer"), ("results", "Results"))
_LAST = (("method", "Method"), ("environment", "Environment"), ("reproduce", "Reproduce"))


def render(
    run_files: Sequence[RunFile],
    plotlyjs: str = library.EMBED,
    anonymous: bool = False,
    zones: Sequence[Zone] = (),
    recomputed: Sequence[str] = (),
) -> str:
    """The page of `run_files` as one HTML document: the same text for the same input.

    `plotlyjs` is where the page finds Plotly's library: in itself (`embed`), at Plotly's own server (`cdn`), beside
    itself (`directory`), or at a path or address that ends in `.js`. UsageError for anything else. `recomputed` has the
    options, as typed, with which the grams of `run_files` are no longer those of the runs themselves.
    """
    report = build(run_files, anonymous, zones)
    drawn = figures(report)
    payload = {
        "figures": {f.id: {"title": f.title, "data": f.data, "layout": f.layout} for f in drawn},
        "templates": TEMPLATES,
        "model": whatif(report),
        "tables": {
            figure.id: _table(figure.table, report) for figure in drawn if _late(figure) or figure.id == "emissions"
        },
        "answers": [_answer(answer, report) for answer in report.answers],
    }
    parts = sections(report, drawn)
    found = library.find(plotlyjs)
    return (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            sections=parts,
            contents=[*_FIRST, *((part.id, part.short) for part in parts), *_LAST],
            tiles=[column for name in TILES for column in report.table.columns if column.key == name],
            late={figure.id: _thinned(figure.table) for figure in drawn if _late(figure)},
            slices={figure.id: slices(figure.layout) for figure in drawn},
            on_grid=ON_GRID,
            of_grid=CARBON_CODES,
            bases=tuple(INTENSITY_KINDS.values()),
            formulas=formulas(report),
            again=again(run_files, recomputed, anonymous),
            recomputed=shlex.join(map(pathless, recomputed) if anonymous else recomputed),
            shapes=SHAPES,
            payload=inert_json(payload),
            library=found,
            policy=found.policy,
            style=asset("report.css"),
            early=asset("theme.js"),
            script=script(_SCRIPTS),
        )
    )


def write(
    run_files: Sequence[RunFile],
    path: Path,
    plotlyjs: str = library.EMBED,
    anonymous: bool = False,
    zones: Sequence[Zone] = (),
    recomputed: Sequence[str] = (),
) -> Path:
    """Write the page of `run_files` to `path` in one step, and Plotly's library beside it for `directory`.

    Returns `path`. UsageError where it cannot be written.
    """
    return write_page(path, render(run_files, plotlyjs, anonymous, zones, recomputed), plotlyjs)


def write_page(path: Path, page: str, plotlyjs: str) -> Path:
    """Write `page` to `path` in one step, and Plotly's library beside it for `directory`. Returns `path`."""
    write_text(path, page)
    if plotlyjs == library.DIRECTORY:
        write_text(path.parent / library.FILE, library.code())
    return path


def figures_page(template: str, drawn: Sequence[Figure], scripts: Sequence[str], plotlyjs: str, **more: Any) -> str:
    """A page of charts alone from one of our templates, which gets `more`."""
    found = library.find(plotlyjs)
    figures = {figure.id: {"data": figure.data, "layout": figure.layout} for figure in drawn}
    return (
        environment()
        .get_template(template)
        .render(
            payload=inert_json({"figures": figures, "templates": TEMPLATES, "model": {"cases": {}}}),
            library=found,
            policy=found.policy,
            style=asset("report.css"),
            early=asset("theme.js"),
            script=script(scripts),
            **more,
        )
    )


def _late(figure: Figure) -> bool:
    """Whether the figure's table is so long that the page makes it whole when it is opened, from plain rows."""
    return len(figure.table.rows) > _LONG


def _table(table: Grid, report: Report) -> list[Any]:
    """A long table: its head, the column that its numbers are of, and its rows.

    A first cell that is a case's name is its number in the report; of a column of the results no more is needed.
    """
    places: dict[Item, int] = {view.full: i for i, view in enumerate(report.cases)}
    width = 1 if table.column else None
    rows = [[places.get(row[0], row[0]), *map(_shortened, row[1:])][:width] for row in table.rows]
    return [table.head, table.column, rows]


def _thinned(table: Grid) -> Grid:
    """Evenly spaced rows of a long table, for readers without JavaScript."""
    return Grid(table.head, table.rows[:: math.ceil(len(table.rows) / _FEW)])


def _shortened(item: Item) -> Item:
    return float(digits(item)) if isinstance(item, float) else item


def _answer(answer: Answer, report: Report) -> dict[str, Any]:
    """An answer as the page's script needs it. Sentences are left out where the headline says the same."""
    return {
        "key": answer.key,
        "title": answer.title,
        "detail": answer.detail,
        "item": answer.item,
        "cases": [view.key for view in answer.cases],
        "sentences": list(answer.sentences) if len(report.answers) > 1 else [],
    }
