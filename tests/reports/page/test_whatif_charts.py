"""The charts under a what-if equal those that Python makes of the recomputed run."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import Open, download_csv
from report_files import cases, full, summarised, trials
from run_files import case, run_file
from whatif_runs import INPUTS, ZONES, recomputed, with_ranges

from joulemark.reports.html import render
from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.sections import all_figures
from joulemark.suite.carbon import ember
from joulemark.suite.records import Intensity, RunFile

CSV_COLUMN = "grams CO₂e per 1,000 items"


@pytest.fixture(scope="module")
def ranged_page() -> str:
    return render([with_ranges()], zones=ZONES)


def figures_of(run: RunFile) -> dict[str, Figure]:
    return {figure.id: figure for figure in all_figures(build([run]))}


def assert_same(shown: list[Any], expected: list[Any]) -> None:
    """Compare to 1e-9, or to the last of a figure's six digits where a tie is rounded the other way."""
    assert len(shown) == len(expected)
    for a, b in zip(shown, expected, strict=True):
        assert a is b is None or a == pytest.approx(b, rel=2e-6, abs=1e-9)


def traces_of(page: Any, name: str) -> list[dict[str, Any]]:
    """Return the visible traces of a drawn chart."""
    traces: list[dict[str, Any]] = page.evaluate(
        f"document.getElementById('plot-{name}').data.filter((t) => t.visible !== false)"
        ".map((t) => ({name: t.name, x: t.x, showlegend: t.showlegend, symbol: t.marker && t.marker.symbol,"
        " high: t.error_x && t.error_x.array, low: t.error_x && t.error_x.arrayminus}))"
    )
    return traces


@pytest.mark.parametrize(("state", "intensity", "pue", "psf"), INPUTS[:3])
def test_emissions_and_breakdown(
    tab: Open, ranged_page: str, state: str, intensity: Intensity | None, pue: float | None, psf: float | None
) -> None:
    opened = tab(ranged_page)
    page = opened.open(state)
    opened.draw_all()
    expected = figures_of(recomputed(with_ranges(), intensity, pue, psf))
    for name in ("emissions", "breakdown"):
        for shown, trace in zip(traces_of(page, name), expected[name].data, strict=True):
            assert_same(shown["x"], trace["x"])
            assert shown.get("showlegend") == trace.get("showlegend")
            if "error_x" in trace:
                assert_same(shown["high"], trace["error_x"]["array"])
                assert_same(shown["low"], trace["error_x"]["arrayminus"])
            if name == "emissions":
                assert shown["name"] == trace["name"]
                assert shown.get("symbol") == trace.get("marker", {}).get("symbol")
    breakdown_range = page.evaluate("document.getElementById('plot-breakdown').layout.xaxis.range")
    assert_same(breakdown_range, expected["breakdown"].layout["xaxis"]["range"])
    axis = page.evaluate("document.getElementById('plot-emissions').layout.xaxis")
    expected_axis = expected["emissions"].layout["xaxis"]
    assert_same(axis["range"], expected_axis["range"])
    assert axis["ticktext"] == expected_axis["ticktext"]


@pytest.mark.parametrize("state", ["", "zone=PL&pue=1.5"])
def test_error_range_of_estimates(tab: Open, state: str) -> None:
    run = summarised(run_file(cases(kind="model")))
    opened = tab(render([run], zones=ZONES))
    page = opened.open(state)
    opened.draw_all()
    expected = figures_of(recomputed(run, ember.intensity("PL"), 1.5, None) if state else run)["emissions"].data[0]
    assert "estimate" in expected["name"]
    assert_same(page.evaluate("document.getElementById('plot-emissions').data[0].x"), expected["x"])


def test_data_table_and_csv_of_emissions(tab: Open, ranged_page: str) -> None:
    page = tab(ranged_page).open("zone=PL&pue=1.5")
    run = recomputed(with_ranges(), ember.intensity("PL"), 1.5, None)
    expected = [c.summary.emissions_g_per_1000_items.value for c in run.cases if c.summary]
    page.locator("#fig-emissions summary", has_text="Data table").click()
    cells = page.locator("#fig-emissions tbody tr td:nth-child(2)")
    assert [float(cell.get_attribute("data-value")) for cell in cells.all()] == pytest.approx(expected, rel=1e-9)
    assert [float(cell.inner_text()) for cell in cells.all()] == pytest.approx(expected, rel=1e-5)
    rows = download_csv(page, "[data-save='emissions.CSV']")
    assert [float(row[CSV_COLUMN]) for row in rows] == pytest.approx(expected, rel=1e-9)
    page.locator("#whatif [type=reset]").click()
    own = [c.summary.emissions_g_per_1000_items.value for c in with_ranges().cases if c.summary]
    assert [float(cell.get_attribute("data-value")) for cell in cells.all()] == pytest.approx(own, rel=1e-9)


def test_long_data_table_of_emissions(tab: Open) -> None:
    made = [case(f"w{i:03d}", trials=trials(100.0 + i, 50.0, 5.0)) for i in range(210)]
    page = tab(render([summarised(run_file(made))], zones=ZONES)).open("intensity=100&pue=1")
    rows = download_csv(page, "[data-save='emissions.CSV']")
    assert len(rows) == 210
    page.locator("#fig-emissions summary", has_text="Data table").click()
    page.locator("#fig-emissions tbody tr:nth-child(210)").wait_for()
    cells = page.locator("#fig-emissions tbody tr td:nth-child(2)")
    values = "(cells) => cells.map((cell) => Number(cell.dataset.value))"
    shown = cells.evaluate_all(values)
    assert shown == pytest.approx([float(row[CSV_COLUMN]) for row in rows], rel=1e-12)
    page.fill("[name=intensity]", "200")
    assert cells.evaluate_all(values) == pytest.approx([2 * value for value in shown], rel=1e-12)


def test_zero_intensity_leaves_no_marks_and_a_reason(tab: Open) -> None:
    opened = tab(render([full()], zones=ZONES))
    page = opened.open()
    opened.draw_all()
    chart = page.locator("#plot-emissions")
    page.fill("[name=intensity]", "0")
    assert "0 g" in chart.locator(".annotation").text_content()
    assert chart.locator(".scatterlayer .point[d]:visible").count() == 0
    page.fill("[name=intensity]", "100")
    assert chart.locator(".annotation").count() == 0
    assert chart.locator(".scatterlayer .point:visible").count() == 6
