"""The page in real headless Chromium: drawn, silent, offline, sortable, accessible, and right on paper."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from chromium import Open
from report_files import full, summarised, trials
from run_files import case, failed_trial, run_file

from joulemark.reports.html import render, write
from joulemark.reports.model.embedded import thinned
from joulemark.suite.carbon import ember
from joulemark.suite.records import Probe, RunFile, parse

ZONES = tuple(ember.countries().values())


@pytest.fixture(scope="module")
def html() -> str:
    return render([full()], zones=ZONES)


def test_every_chart_is_drawn(tab: Open, html: str) -> None:
    opened = tab(html)
    page = opened.open()
    opened.draw_all()
    plots = page.locator(".plot")
    assert plots.count() >= 10
    for i in range(plots.count()):
        assert plots.nth(i).locator(".xy, .x2y2").count() >= 1
    assert page.locator(".modebar, .js-plotly-plot a").count() == 0


def test_a_heading_sorts_best_first_and_missing_last(tab: Open, html: str) -> None:
    page = tab(html).open()
    head = page.locator("th[data-key=energy_per_item_j]").first
    cells = "[...document.querySelectorAll('#results tbody tr')].map(tr => tr.cells[4].dataset.value)"
    head.locator("button").click()
    values = page.evaluate(cells)
    known = [float(value) for value in values if value]
    assert known == sorted(known)
    assert values[-1] == ""
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    values = page.evaluate(cells)
    assert [float(value) for value in values if value] == sorted(known, reverse=True)
    assert values[-1] == ""
    assert "sort=energy_per_item_j.descending" in page.url


def test_the_address_keeps_the_view(tab: Open, html: str) -> None:
    opened = tab(html)
    page = opened.open()
    page.select_option("#work", index=2)
    page.select_option("[name=zone]", "PL")
    page.locator("#theme").click()
    state = page.url.partition("#")[2]
    again = tab(html).open(state)
    assert again.locator(".choice:visible h2").inner_text() == page.locator(".choice:visible h2").inner_text()
    assert again.input_value("[name=zone]") == "PL"
    assert again.locator("html").get_attribute("data-theme") == "dark"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_systems_and_switches_with_the_charts(tab: Open, html: str, scheme: str) -> None:
    opened = tab(html, color_scheme=scheme)
    page = opened.open()
    assert page.locator("html").get_attribute("data-theme") == scheme
    opened.draw_all()
    ink = "[...document.querySelectorAll('.xtick text')].map(node => getComputedStyle(node).fill)"
    before = set(page.evaluate(ink))
    page.locator("#theme").click()
    page.wait_for_timeout(300)
    after = set(page.evaluate(ink))
    assert len(before) == len(after) == 1
    assert before != after


def test_paper_has_every_figure(tab: Open, html: str, tmp_path: Path) -> None:
    page = tab(html, color_scheme="dark").open()
    pdf = page.pdf()
    assert pdf.startswith(b"%PDF")
    plots = page.locator(".plot")
    assert page.locator(".plot[data-drawn]").count() == plots.count()


def test_without_javascript_all_numbers_are_there(tab: Open, html: str) -> None:
    page = tab(html, java_script_enabled=False).open()
    run = full()
    rows = page.locator("#results tbody tr")
    assert rows.count() == len(run.cases)
    assert page.locator("#results td:nth-child(n + 3)").count() == 11 * len(run.cases)
    assert page.locator(".no-chart").first.is_visible()
    assert not page.locator("#whatif").is_visible()
    for details in page.locator("figcaption details").all():
        assert details.locator("summary").is_visible()
    assert page.locator("main button:visible, main [data-take]").count() == 0  # nothing is in reach that does nothing


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_page_does_not_scroll_sideways(tab: Open, html: str, width: int) -> None:
    opened = tab(html, viewport={"width": width, "height": 800})
    page = opened.open()
    opened.draw_all()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(tab: Open, html: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    opened = tab(html, color_scheme=scheme)
    page = opened.open("items=1000")
    opened.draw_all()
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    found = axe.Axe().run(page).response["violations"]
    grave = [entry for entry in found if entry["impact"] in {"serious", "critical"}]
    assert [(entry["id"], entry["nodes"][0]["html"][:200]) for entry in grave] == []


def test_the_run_file_can_be_taken_out(tab: Open, html: str) -> None:
    page = tab(html).open()
    with page.expect_download() as taken:
        page.locator("[data-json]").click()
    text = Path(taken.value.path()).read_text(encoding="utf-8")
    assert parse(text, "the page") == thinned(full())
    assert taken.value.suggested_filename == f"{full().run.id}.json"


def test_the_table_can_be_taken_out(tab: Open, html: str) -> None:
    page = tab(html).open()
    with page.expect_download() as taken:
        page.locator("[data-csv]").click()
    rows = list(csv.DictReader(io.StringIO(Path(taken.value.path()).read_text(encoding="utf-8"))))
    by_id = {case.id: case for case in full().cases}
    assert {row["case"] for row in rows} == set(by_id)
    for row in rows:
        summary = by_id[row["case"]].summary
        for name in ("throughput", "energy_per_item_j", "emissions_g_per_1000_items"):
            value = getattr(summary, name).value if summary else None
            assert row[name] == "" if value is None else float(row[name]) == pytest.approx(value, rel=1e-11)


@pytest.fixture(scope="module")
def many() -> RunFile:
    """A run of 44 works in five rounds: more rows than a chart is drawn in at once, or a table written out."""
    found = [case(f"w{i:02d}", trials=trials(100.0 + i, 50.0, 5.0 + i, rounds=5)) for i in range(44)]
    return summarised(run_file(found))


def test_a_tall_chart_is_drawn_in_slices_that_are_all_of_it(tab: Open, many: RunFile) -> None:
    opened = tab(render([many], zones=ZONES))
    page = opened.open("zone=PL")
    assert page.locator("[data-figure=emissions]").count() == 2
    assert page.locator("[data-figure=trials][data-drawn]").count() == 0  # they wait until they come near the screen
    opened.draw_all()
    points = page.evaluate(
        "[...document.querySelectorAll('[data-figure=emissions]')]"
        ".map((plot) => plot.data.flatMap((trace) => trace.x.filter((x) => x !== null)))"
    )
    assert [len(found) for found in points] == [23, 21]
    polish = ember.intensity("PL").g_per_kwh
    expected = [c.summary.emissions_g_per_1000_items.value for c in many.cases if c.summary]
    own = many.emissions.intensity.g_per_kwh
    assert [x for found in points for x in found] == pytest.approx([x * polish / own for x in expected], rel=1e-5)
    assert page.locator("[data-figure=trials] .ytick text").count() == 44


@pytest.mark.parametrize("width", [1200, 390])
def test_slices_of_a_chart_have_one_scale(tab: Open, width: int) -> None:
    """Equal values are equally long in all of them, whatever names and values a slice has."""
    found = [
        case(f"w{i:02d}" + "x" * (30 - i // 2), trials=trials(100.0 * (1 + i % 40), 50.0, 5.0 + i)) for i in range(60)
    ]
    probe = Probe(framework="pytorch", device="cpu", precision="fp32", threads=2, flops_per_s=2.4e12, bytes_per_s=2e11)
    opened = tab(render([summarised(run_file(found, probes=(probe,)))]), viewport={"width": width, "height": 900})
    page = opened.open()
    opened.draw_all()
    for name in ("roofline", "breakdown", "trials", "start"):
        scales = page.evaluate(
            "(name) => [...document.querySelectorAll(`[data-figure=${name}]`)].map(({ _fullLayout: { xaxis, _size } })"
            " => [...xaxis.range, _size.l, _size.w])",
            name,
        )
        assert len(scales) > 1
        assert all(other == pytest.approx(scales[0]) for other in scales), name


def test_a_tall_chart_has_its_axis_on_top_too(tab: Open, many: RunFile) -> None:
    opened = tab(render([many]))
    page = opened.open()
    opened.draw_all()
    ticks = (
        "(of) => [...document.querySelectorAll(of)].map((tick) => tick.textContent.replace(/[+\\u2212](?=0.0%)/, ''))"
    )
    for name in ("throughput", "trials"):
        foot, top = (page.evaluate(ticks, f"#plot-{name} .{axis} text") for axis in ("xtick", "x2tick"))
        assert foot
        assert top == foot
        edges = page.evaluate(
            "(id) => ['.xtick', '.x2tick', '.legend'].map((part) => document.querySelector(`#${id} ${part}`)?."
            "getBoundingClientRect().bottom)",
            f"plot-{name}",
        )
        assert edges[1] < edges[0]
        assert edges[2] is None or edges[2] < edges[1]


def test_a_long_table_is_thinned_without_javascript_and_whole_with_it(tab: Open, many: RunFile) -> None:
    html = render([many], zones=ZONES)
    still = tab(html, java_script_enabled=False).open().locator("#fig-trials figcaption details[data-table]")
    assert "37 of 220 rows" in still.text_content()
    assert still.locator("tbody tr").count() == 37
    page = tab(html).open()
    details = page.locator("#fig-trials details[data-table]")
    details.locator("summary").click()
    details.locator("tbody tr:nth-child(220)").wait_for()
    assert details.locator("tbody tr").count() == 220
    shown = [
        float(x) for x in details.locator("td:nth-child(3)").evaluate_all("tds => tds.map(td => td.dataset.value)")
    ]
    rates = [t.items / (t.window_s[1] - t.window_s[0]) for c in many.cases for t in c.trials if t.window_s]
    assert shown == pytest.approx(rates, rel=1e-9)
    with page.expect_download() as taken:
        page.locator("[data-take='trials.CSV']").click()
    rows = list(csv.DictReader(io.StringIO(Path(taken.value.path()).read_text(encoding="utf-8"))))
    assert [float(row["items per second"]) for row in rows] == pytest.approx(rates, rel=1e-9)


def test_a_tall_chart_is_one_picture(tab: Open, many: RunFile) -> None:
    page = tab(render([many])).open()
    with page.expect_download() as taken:
        page.locator("[data-take='throughput.SVG']").click()
    picture = Path(taken.value.path()).read_text(encoding="utf-8")
    assert all(f"w{i:02d} training" in picture for i in range(44))
    assert ">Throughput<" in picture  # a picture stands alone


def test_a_short_table_can_be_taken_out_too(tab: Open, html: str) -> None:
    page = tab(html).open()
    with page.expect_download() as taken:
        page.locator("[data-take='energy.CSV']").click()
    rows = list(csv.DictReader(io.StringIO(Path(taken.value.path()).read_text(encoding="utf-8"))))
    expected = [c.summary.energy_per_item_j.value for c in full().cases if c.summary]
    assert sorted(float(row["joules per item"]) for row in rows) == pytest.approx(sorted(expected), rel=1e-9)


def test_hostile_text_is_inert_in_charts_too(tab: Open) -> None:
    hostile = "</script><img src=x onerror=alert(1)><a href='javascript:alert(2)'>{{7*7}}%{x}\u202e" + "x" * 10_000
    run = run_file([case(hostile, id="a"), case("b", hostile, hostile, id="c"), case(id="e", trials=[failed_trial()])])
    opened = tab(render([run, full()], zones=ZONES))
    page = opened.open()
    opened.draw_all()
    assert page.locator("img").count() == 0
    assert page.locator("main a:not([href^='#'])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


def test_a_library_beside_the_page_works(browser: Any, tmp_path: Path) -> None:
    write([full()], tmp_path / "page.html", plotlyjs="directory")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.locator("#plot-throughput").scroll_into_view_if_needed()
    page.locator("#plot-throughput .main-svg").first.wait_for(state="attached")
    page.close()


def test_a_library_that_cannot_be_had_leaves_the_numbers(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(render([full()], plotlyjs="absent.js"), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator(".no-chart").first.is_visible()
    assert page.locator("#results tbody tr").count() == len(full().cases)
    assert set(page.locator("[data-take]").all_inner_texts()) == {"CSV"}
    page.close()
