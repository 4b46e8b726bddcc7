"""Run files -> one page. Jinja and Plotly's library are handled here; what it says is in `model` and `figures`."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from reports.figures import Figure, figures, sections
from reports.figures.rows import slices
from reports.marks import SHAPES
from reports.model import Report, Zone, build
from reports.model.anonymous import pathless
from reports.model.answer import TILES, Answer
from reports.model.embedded import again, checksum
from reports.model.grid import Grid, Item
from reports.model.whatif import ON_GRID, formulas, whatif
from reports.theme import TEMPLATES
from suite.errors import UsageError
from suite.results.basis import BASES
from suite.results.records import RunFile, write_text
from suite.results.validity import CARBON_CODES

EMBED, CDN, DIRECTORY = "embed", "cdn", "directory"
LIBRARY = "plotly.min.js"
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
    plotlyjs: str = EMBED,
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
    library = _library(plotlyjs)
    return (
        _environment()
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
            bases=tuple(BASES.values()),
            formulas=formulas(report),
            again=again(run_files, recomputed, anonymous),
            recomputed=shlex.join(map(pathless, recomputed) if anonymous else recomputed),
            shapes=SHAPES,
            payload=_json(payload),
            library=library,
            policy=_policy(library),
            style=_asset("report.css"),
            early=_asset("theme.js"),
            script=_script(_SCRIPTS),
        )
    )


def write(
    run_files: Sequence[RunFile],
    path: Path,
    plotlyjs: str = EMBED,
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
    if plotlyjs == DIRECTORY:
        write_text(path.parent / LIBRARY, _plotly())
    return path


def figures_page(template: str, drawn: Sequence[Figure], scripts: Sequence[str], plotlyjs: str, **more: Any) -> str:
    """A page of charts alone from one of our templates, which gets `more`."""
    library = _library(plotlyjs)
    figures = {figure.id: {"data": figure.data, "layout": figure.layout} for figure in drawn}
    return (
        _environment()
        .get_template(template)
        .render(
            payload=_json({"figures": figures, "templates": TEMPLATES, "model": {"cases": {}}}),
            library=library,
            policy=_policy(library),
            style=_asset("report.css"),
            early=_asset("theme.js"),
            script=_script(scripts),
            **more,
        )
    )


def _script(names: Sequence[str]) -> Markup:
    """Our own scripts as one, out of sight of others'."""
    return Markup("(() => {{\n'use strict';\n{}\n}})();").format(Markup("\n").join(map(_asset, names)))


@dataclass(frozen=True)
class Library:
    """How the page gets Plotly's library: either `code` or `address` is set."""

    code: Markup | None = None
    address: str | None = None
    integrity: str | None = None
    """Hash that a browser checks a fetched library against."""


def _library(plotlyjs: str) -> Library:
    if plotlyjs == EMBED:
        return Library(code=Markup(_plotly()))
    if plotlyjs == CDN:
        digest = base64.b64encode(hashlib.sha256(_plotly().encode()).digest()).decode()
        return Library(address=f"https://cdn.plot.ly/plotly-{_version()}.min.js", integrity=f"sha256-{digest}")
    if plotlyjs == DIRECTORY:
        return Library(address=LIBRARY)
    if plotlyjs.endswith(".js"):
        return Library(address=plotlyjs)
    raise UsageError(
        f"--plotlyjs is {plotlyjs!r}; it must be embed, cdn, directory, or a path or address that ends in .js."
    )


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    code: str = get_plotlyjs()
    if "</script" in code.lower():
        raise UsageError("the installed plotly's library cannot be put into a page; use --plotlyjs directory.")
    return code


def _version() -> str:
    from plotly.offline import get_plotlyjs_version

    version: str = get_plotlyjs_version()
    return version


def _policy(library: Library) -> str:
    """The page's own content security policy: whatever stands in a run file, the page can load nothing from a network.

    Only a library that is not in the page may be fetched, and from nowhere but its own place.
    """
    source = f" {library.address}" if library.address and "://" in library.address else " 'self' file:"
    scripts = "'unsafe-inline'" + (source if library.address else "")
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=PackageLoader("reports", "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = _cell
    environment.filters["short"] = _short
    environment.filters["code"] = _code
    environment.filters["compact"] = _compact
    environment.filters["digits"] = _digits
    environment.filters["checksum"] = checksum
    environment.filters["of_item"] = _of_item
    return environment


def _cell(item: str | float | int | None) -> str:
    """An item of a grid as text."""
    if item is None:
        return "not measured"
    return item if isinstance(item, str) else f"{item:g}"


def _short(reason: str) -> str:
    """The beginning of a reason, for a narrow place; the whole stands in a tooltip."""
    return reason if len(reason) <= 60 else reason[:59] + "…"


def _digits(value: float | None) -> str:
    """A value for programs: 12 significant digits, the shortest way; empty for None."""
    return "" if value is None else f"{value:.12g}"


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
    return float(_digits(item)) if isinstance(item, float) else item


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


def _of_item(words: str, item: str) -> str:
    """A heading or unit with the item's own name: `k items/s` -> `k images/s`."""
    return words.replace("items", f"{item}s").replace("item", item)


def _compact(html: str) -> Markup:
    """`html` without the indentation of the templates: a third of a large page."""
    return Markup(re.sub(r"\s*\n\s*", "\n", html))


def _code(text: str) -> Markup:
    """`text` escaped, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _json(value: Any) -> Markup:
    """`value` as JSON that cannot end its script element or be read as markup; ValueError for NaN and infinity."""
    text = json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _asset(name: str) -> Markup:
    """One of our own style sheets or scripts."""
    text = (Path(__file__).parent / "assets" / name).read_text(encoding="utf-8")
    return Markup(text.strip())
