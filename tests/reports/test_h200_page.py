"""The page of a real GPU's run: one framework, one round, GPUs with long identifiers, a host that was not measured."""

from __future__ import annotations

import re

import pytest
from places import DOCS

from joulemark.reports import html
from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.sections import all_figures
from joulemark.suite.records import RunFile
from joulemark.suite.results.run_files import read


@pytest.fixture(scope="module")
def run_file() -> RunFile:
    return read(DOCS / "results" / "h200-base-bf16.json")


@pytest.fixture(scope="module")
def figures(run_file: RunFile) -> dict[str, Figure]:
    return {figure.id: figure for figure in all_figures(build([run_file]))}


def test_each_channel_has_a_short_name_of_its_own(figures: dict[str, Figure]) -> None:
    axes = [axis for name, axis in figures["power-a"].layout.items() if re.fullmatch(r"yaxis\d+", name)]
    titles = [axis["title"]["text"] for axis in axes]
    assert titles == ["cuda:0 counter, watts", "cuda:0 integrated, watts", "cpu, watts", "ram, watts"]
    assert figures["power-a"].summary.endswith("on cuda:0 counter.")


def test_a_task_with_one_case_has_no_trade_off(figures: dict[str, Figure]) -> None:
    assert not [id for id in figures if id.startswith("pareto")]
    assert {"throughput", "energy", "roofline"} <= figures.keys()


def test_cells_of_the_results_stay_narrow(run_file: RunFile) -> None:
    """What was not measured is the same in every row: it is in the warning, and in each cell's tooltip."""
    (table,) = re.findall(r'<table class="sortable results.*?</table>', html.render([run_file]), re.S)
    texts = re.findall(r"<small[^>]*>(.*?)</small>", table)
    assert "n=1, no interval" in texts
    assert max(map(len, texts)) < 25
    assert 'title="n=1, no interval; not measured: package: no readable sensor' in table
