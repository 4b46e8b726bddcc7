"""Charts of many rows: drawn in slices of one scale, with an axis on top, and long data tables."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import Open, download, download_csv
from report_files import summarised, trials
from run_files import case, run_file

from joulemark.reports.html import render
from joulemark.suite.carbon import ember
from joulemark.suite.records import Probe, RunFile


@pytest.fixture(scope="module")
def tall(many_cases: RunFile) -> str:
    return render([many_cases], zones=tuple(ember.countries().values()))


def test_slices_together_are_the_whole_chart(tab: Open, tall: str, many_cases: RunFile) -> None:
    opened = tab(tall)
    page = opened.open("zone=PL")
    assert page.locator("[data-figure=emissions]").count() == 2
    assert page.locator("[data-figure=trials][data-drawn]").count() == 0  # they wait until they come near the screen
    opened.draw_all()
    slices = page.evaluate(
        "[...document.querySelectorAll('[data-figure=emissions]')]"
        ".map((plot) => plot.data.flatMap((trace) => trace.x.filter((x) => x !== null)))"
    )
    assert [len(points) for points in slices] == [23, 21]
    factor = ember.intensity("PL").g_per_kwh / many_cases.emissions.intensity.g_per_kwh
    expected = [c.summary.emissions_g_per_1000_items.value for c in many_cases.cases if c.summary]
    assert [x for points in slices for x in points] == pytest.approx([x * factor for x in expected], rel=1e-5)
    assert page.locator("[data-figure=trials] .ytick text").count() == 44
    check_axes_on_top(page)


@pytest.mark.parametrize("width", [1200, 390])
def test_slices_of_a_chart_have_one_scale(tab: Open, width: int) -> None:
    """Equal values have equal lengths in all of them, whatever labels and values a slice has."""
    made = [
        case(f"w{i:02d}" + "x" * (30 - i // 2), trials=trials(100.0 * (1 + i % 40), 50.0, 5.0 + i)) for i in range(60)
    ]
    probe = Probe(framework="pytorch", device="cpu", precision="fp32", threads=2, flops_per_s=2.4e12, bytes_per_s=2e11)
    opened = tab(render([summarised(run_file(made, probes=(probe,)))]), viewport={"width": width, "height": 900})
    page = opened.open()
    opened.draw_all()
    for name in ("roofline", "breakdown", "trials", "startup"):
        scales = page.evaluate(
            "(name) => [...document.querySelectorAll(`[data-figure=${name}]`)].map(({ _fullLayout: { xaxis, _size } })"
            " => [...xaxis.range, _size.l, _size.w])",
            name,
        )
        assert len(scales) > 1
        assert all(scale == pytest.approx(scales[0]) for scale in scales), name


def check_axes_on_top(page: Any) -> None:
    """Tall charts have their axis on top too."""
    texts = (
        "(of) => [...document.querySelectorAll(of)].map((tick) => tick.textContent.replace(/[+\\u2212](?=0.0%)/, ''))"
    )
    for name in ("throughput", "trials"):
        bottom, top = (page.evaluate(texts, f"#plot-{name} .{axis} text") for axis in ("xtick", "x2tick"))
        assert bottom
        assert top == bottom
        bottom_y, top_y, legend_y = page.evaluate(
            "(id) => ['.xtick', '.x2tick', '.legend'].map((part) => document.querySelector(`#${id} ${part}`)?."
            "getBoundingClientRect().bottom)",
            f"plot-{name}",
        )
        assert top_y < bottom_y
        assert legend_y is None or legend_y < top_y


def test_long_table_is_sampled_without_javascript_and_whole_with_it(tab: Open, tall: str, many_cases: RunFile) -> None:
    static = tab(tall, java_script_enabled=False).open().locator("#fig-trials figcaption details[data-table]")
    assert "37 of 220 rows" in static.text_content()
    assert static.locator("tbody tr").count() == 37
    page = tab(tall).open()
    details = page.locator("#fig-trials details[data-table]")
    details.locator("summary").click()
    details.locator("tbody tr:nth-child(220)").wait_for()
    assert details.locator("tbody tr").count() == 220
    cells = details.locator("td:nth-child(3)").evaluate_all("tds => tds.map(td => Number(td.dataset.value))")
    rates = [t.items / t.window_length_s for c in many_cases.cases for t in c.trials if t.window_s]
    assert cells == pytest.approx(rates, rel=1e-9)
    rows = download_csv(page, "[data-save='trials.CSV']")
    assert [float(row["items per second"]) for row in rows] == pytest.approx(rates, rel=1e-9)


def test_tall_chart_is_saved_as_one_picture_with_its_title(tab: Open, tall: str) -> None:
    _, picture = download(tab(tall).open(), "[data-save='throughput.SVG']")
    assert all(f"w{i:02d} training" in picture for i in range(44))
    assert ">Throughput<" in picture
