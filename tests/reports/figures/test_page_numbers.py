"""The numbers of run file, results table, figures, their data tables and the page are the same."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from joulemark.reports.html import render
from joulemark.reports.model import Report
from joulemark.reports.plotting.figure import Figure, plotly_figure
from joulemark.suite.records import RunFile

SUMMARISED = (
    "throughput",
    "step_time_s",
    "energy_per_item_j",
    "net_energy_per_item_j",
    "facility_energy_per_item_j",
    "emissions_g_per_1000_items",
    "power_w",
)


class PageNumbers(HTMLParser):
    """The values of the page's cells: of the results table by key, of each figure's data table in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.results: dict[str, str] = {}
        self.data_tables: dict[str, list[float]] = {}
        self.columns: list[str] = []
        self._figure = self._case = ""
        self._row_columns: Iterator[str] = iter(())
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "figure":
            self._figure = str(values["id"]).removeprefix("fig-")
            self.data_tables[self._figure] = []
        if tag == "tr":
            self._case, self._row_columns = str(values.get("data-case", "")), iter(self.columns)
        if tag == "th" and "data-key" in values:
            self.columns.append(str(values["data-key"]))
        if tag == "td" and self._case and "framework" not in str(values.get("class")):
            self.results[f"{self._case}|{next(self._row_columns)}"] = str(values["data-value"])
        elif tag == "td" and "data-value" in values and self._figure:
            self.data_tables[self._figure].append(float(str(values["data-value"])))

    def handle_endtag(self, tag: str) -> None:
        if tag == "figure":
            self._figure = ""


def test_page_has_the_numbers_of_the_run_file(run: RunFile, report: Report, drawn: dict[str, Figure]) -> None:
    page = PageNumbers(render([run]))
    assert {id(view.case) for view in report.cases} == {id(case) for case in run.cases}
    for view in report.cases:
        for name in SUMMARISED:
            value = getattr(view.case.summary, name).value if view.case.summary else None
            shown = page.results[f"{view.key}|{name}"]
            assert shown == "" if value is None else float(shown) == pytest.approx(value, rel=1e-11)
    assert set(page.data_tables) == set(drawn)
    for name, figure in drawn.items():
        numbers = [value for row in figure.table.rows for value in row[1:] if isinstance(value, int | float)]
        assert page.data_tables[name] == pytest.approx(numbers, rel=1e-11)


def floats_in(value: Any) -> list[float]:
    """Return all floats anywhere in plain data."""
    if isinstance(value, dict):
        return [x for item in value.values() for x in floats_in(item)]
    if isinstance(value, list):
        return [x for item in value for x in floats_in(item)]
    return [value] if isinstance(value, float) else []


def test_figures_are_plain_finite_and_valid_for_plotly(drawn: dict[str, Figure]) -> None:
    for figure in drawn.values():
        assert all(math.isfinite(x) for x in floats_in([figure.data, figure.layout]))
        converted = plotly_figure(figure)
        assert len(converted.data) == len(figure.data)
        assert "bdata" not in converted.to_json()
        assert figure.summary
        assert figure.how_to_read
        assert figure.table.rows
