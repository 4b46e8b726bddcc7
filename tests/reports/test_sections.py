"""The sections of the page: every chart is in one of them."""

from __future__ import annotations

import pkgutil

from report_files import full

from joulemark.reports import figures
from joulemark.reports.model import build
from joulemark.reports.sections import SECTIONS, all_figures, sections


def test_every_chart_is_in_one_section() -> None:
    modules = pkgutil.walk_packages(figures.__path__, f"{figures.__name__}.")
    charts = [chart for section in SECTIONS for chart in section.charts]
    assert sorted(charts) == sorted(
        module.name.removeprefix(f"{figures.__name__}.") for module in modules if not module.ispkg
    )


def test_sections_and_figures_have_ids_of_their_own() -> None:
    report = build([full()])
    ids = [section.id for section in SECTIONS] + [f"fig-{figure.id}" for figure in all_figures(report)]
    assert len(set(ids)) == len(ids)
    assert all(drawn for _, drawn in sections(report))
