"""Run files -> one HTML page. `model` and `figures` hold its content, `templates` and `assets` its form."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joulemark.reports import plotly_library
from joulemark.reports.anonymous import anonymous_options
from joulemark.reports.data_table import DataTable, TableValue
from joulemark.reports.documentation import documentation_address
from joulemark.reports.embedded_run import report_command
from joulemark.reports.markers import SHAPE_PATHS
from joulemark.reports.model import Report, build
from joulemark.reports.model.tiles import TILE_COLUMNS, TileGroup
from joulemark.reports.model.whatif import INTENSITY_COLUMNS, formulas, whatif_data
from joulemark.reports.model.years import ASSUMPTION
from joulemark.reports.plotting.case_rows import SECOND_LINE_STYLE, slices
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.sections import sections
from joulemark.reports.templating import asset, digits, environment, safe_json, script
from joulemark.reports.theme import TEMPLATES
from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile, write_text
from joulemark.suite.results.intensity_kind import INTENSITY_KINDS
from joulemark.suite.results.validity import CARBON_CODES

if TYPE_CHECKING:
    from joulemark.suite.carbon.ember import Country
    from joulemark.suite.results.references.kept import Reference

_LONG_TABLE, _SAMPLE_ROWS = 200, 40
"""Rows of a data table above which the page's markup holds only `_SAMPLE_ROWS` of them, and JavaScript makes the whole
table from plain numbers: markup is three times as long."""
_SCRIPTS = (
    "format.js",
    "charts.js",
    "table.js",
    "whatif.js",
    "whatif_charts.js",
    "whatif_form.js",
    "tiles.js",
    "search.js",
    "downloads.js",
    "page.js",
)
_FIRST_SECTIONS = (("overview", "Overview"), ("results", "Results"))
_JOB, _YEAR, _WORK = (("job", "Job"),), (("year", "A year"),), (("work", "Work"),)
_LAST_SECTIONS = (("method", "Method"), ("environment", "Environment"), ("reproduce", "Reproduce"))


def render(
    run_files: Sequence[RunFile],
    plotlyjs: str = plotly_library.EMBED,
    anonymous: bool = False,
    zones: Sequence[Country] = (),
    recomputed: Sequence[str] = (),
    references: Sequence[Reference] = (),
    price: float | None = None,
    lost_nodes: Mapping[int, str] | None = None,
) -> str:
    """Return the page of `run_files` as one HTML document: the same text for the same input.

    Args:
        run_files: The runs, in order.
        plotlyjs: Where the page finds Plotly: in itself (`embed`), on Plotly's own server (`cdn`), beside itself
            (`directory`), or at a path or address that ends in `.js`.
        anonymous: Whether to leave out host name, user names and paths.
        zones: Countries of the what-if.
        recomputed: The options, as typed, by which the emissions of `run_files` differ from those of the runs.
        references: Reference machines that the runs are put beside.
        price: Of a kilowatt-hour, for what a year costs.
        lost_nodes: Why nodes of the job that the runs are of have no run, by their number.

    Raises:
        UsageError: If `plotlyjs` is anything else.
    """
    report = build(run_files, anonymous, zones, references, price, lost_nodes)
    page_sections = sections(report)
    drawn = [figure for _, figures in page_sections for figure in figures]
    titles = [(section.id, section.short_title) for section, _ in page_sections]
    return (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            sections=page_sections,
            contents=[
                *_FIRST_SECTIONS,
                *(_JOB if report.jobs else ()),
                *(_YEAR if report.years else ()),
                *titles,
                *(_WORK if report.work else ()),
                *_LAST_SECTIONS,
            ],
            tiles=[column for name in TILE_COLUMNS for column in report.table.columns if column.key == name],
            sampled_tables={figure.id: _sampled(figure.table) for figure in drawn if _is_long(figure.table)},
            slices={figure.id: slices(figure.layout) for figure in drawn},
            intensity_columns=INTENSITY_COLUMNS,
            carbon_codes=CARBON_CODES,
            intensity_kinds=tuple(INTENSITY_KINDS.values()),
            formulas=formulas(report),
            year_assumption=ASSUMPTION,
            documentation=documentation_address(),
            report_command=report_command([run.file for run in report.runs], recomputed, anonymous),
            recomputed=shlex.join(anonymous_options(recomputed) if anonymous else recomputed),
            shape_paths=SHAPE_PATHS,
            payload=safe_json(_payload(report, drawn)),
            **_page_head(_SCRIPTS, plotlyjs),
        )
    )


def _payload(report: Report, drawn: Sequence[Figure]) -> dict[str, Any]:
    """Return the data of the page's scripts."""
    return {
        "figures": {figure.id: _figure_data(figure, title=figure.title) for figure in drawn},
        "templates": TEMPLATES,
        "model": whatif_data(report),
        "tables": {
            figure.id: _table_data(figure.table, report)
            for figure in drawn
            if _is_long(figure.table) or figure.id == "emissions"
        },
        "tile_groups": [_tile_group_data(group, report) for group in report.tile_groups],
    }


def write(
    run_files: Sequence[RunFile],
    path: Path,
    plotlyjs: str = plotly_library.EMBED,
    anonymous: bool = False,
    zones: Sequence[Country] = (),
    recomputed: Sequence[str] = (),
    private: bool = False,
    references: Sequence[Reference] = (),
    price: float | None = None,
    lost_nodes: Mapping[int, str] | None = None,
) -> Path:
    """Write the page of `run_files` to `path` atomically, with Plotly beside it for `directory`, and return `path`.

    `private` keeps a new page from other users. Raises UsageError if it cannot be written.
    """
    page = render(run_files, plotlyjs, anonymous, zones, recomputed, references, price, lost_nodes)
    return write_page(path, page, plotlyjs, private)


def write_page(path: Path, page: str, plotlyjs: str, private: bool = False) -> Path:
    """Write `page` to `path` atomically, with Plotly beside it for `directory`, and return `path`.

    Raises UsageError if it cannot be written, or if nothing can stand beside it.
    """
    if plotlyjs == plotly_library.DIRECTORY and path.exists() and not path.is_file():
        raise UsageError(f"--plotlyjs directory writes {plotly_library.FILE} beside the page, and {path} is no file.")
    write_text(path, page, private)
    if plotlyjs == plotly_library.DIRECTORY:
        write_text(path.parent / plotly_library.FILE, plotly_library.code())
    return path


def render_figures(template: str, drawn: Sequence[Figure], scripts: Sequence[str], plotlyjs: str, **values: Any) -> str:
    """Return a page of charts alone, made from `template` with `values`."""
    figures = {figure.id: _figure_data(figure) for figure in drawn}
    return (
        environment()
        .get_template(template)
        .render(
            payload=safe_json({"figures": figures, "templates": TEMPLATES, "model": {"cases": {}}}),
            **_page_head(scripts, plotlyjs),
            **values,
        )
    )


def _page_head(scripts: Sequence[str], plotlyjs: str) -> dict[str, Any]:
    """Return the code of a page, by its names in `page.html`, and the policy that allows this code alone."""
    library = plotly_library.plotly_library(plotlyjs)
    style, early_script, own_script = asset("report.css"), asset("theme.js"), script(scripts)
    policy = library.content_security_policy([early_script, own_script], [style], [SECOND_LINE_STYLE])
    return {
        "library": library,
        "library_style_ids": plotly_library.style_ids(),
        "style": style,
        "early_script": early_script,
        "script": own_script,
        "content_security_policy": policy,
    }


def _figure_data(figure: Figure, **more: Any) -> dict[str, Any]:
    return {"data": figure.data, "layout": figure.layout, **more}


def _is_long(table: DataTable) -> bool:
    """Return whether the page makes the whole table only when it is opened."""
    return len(table.rows) > _LONG_TABLE


def _table_data(table: DataTable, report: Report) -> list[Any]:
    """Return a table as [head, results column, rows].

    A case's name in the first cell becomes its number in the report; with a column of the results nothing else is
    needed.
    """
    numbers: dict[TableValue, int] = {view.full_name: i for i, view in enumerate(report.cases)}
    width = 1 if table.column else None
    rows = [[numbers.get(row[0], row[0]), *map(_rounded, row[1:])][:width] for row in table.rows]
    return [table.head, table.column, rows]


def _sampled(table: DataTable) -> DataTable:
    """Return evenly spaced rows of a long table, for readers without JavaScript."""
    return DataTable(table.head, table.rows[:: math.ceil(len(table.rows) / _SAMPLE_ROWS)])


def _rounded(value: TableValue) -> TableValue:
    return float(digits(value)) if isinstance(value, float) else value


def _tile_group_data(group: TileGroup, report: Report) -> dict[str, Any]:
    """Return a tile group for the page's script, without sentences if the headline says the same."""
    return {
        "key": group.key,
        "title": group.title,
        "detail": group.detail,
        "item": group.item,
        "cases": [view.key for view in group.cases],
        "sentences": list(group.sentences) if len(report.tile_groups) > 1 else [],
    }
