"""Emissions bear the mark of their kind of carbon intensity."""

from __future__ import annotations

import pytest
from report_files import full

from joulemark.reports.html import render
from joulemark.reports.model import build
from joulemark.reports.sections import all_figures
from joulemark.suite.carbon import ember
from joulemark.suite.records import Intensity
from joulemark.suite.results.summary import recompute

SHOWN_EMISSIONS = 6 + 2
"""Six cases in the table and two in the tiles that the page opens with."""


@pytest.mark.parametrize(
    ("intensity", "suffix", "mark"),
    [
        (ember.WORLD, "-dot", "○"),
        (ember.intensity("CH"), "-dot", "◔"),
        (Intensity(g_per_kwh=90.0, source="a service", zone="CH", interval_start="2026-11-01T12:00:00Z"), "", "●"),
        (Intensity(g_per_kwh=90.0, source="given", zone=None), "", "◇"),
    ],
)
def test_marks_show_the_kind_of_intensity(intensity: Intensity, suffix: str, mark: str) -> None:
    run = recompute(full(), full().emissions.model_copy(update={"intensity": intensity}))
    figure = next(figure for figure in all_figures(build([run])) if figure.id == "emissions")
    *points, legend = [trace for trace in figure.data if not trace["meta"].get("range")]
    assert {shape.endswith("-dot") for trace in points for shape in trace["marker"]["symbol"]} == {bool(suffix)}
    assert legend["name"].startswith(mark)
    assert render([run], "cdn").count(f">{mark}</abbr>") == SHOWN_EMISSIONS
