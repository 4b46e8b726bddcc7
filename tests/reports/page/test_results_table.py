"""The results table: sorted by its headings, and readable where it is long or the screen is narrow."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import Open, address_state, download_csv
from places import DOCS
from report_files import summarised, trials
from run_files import case, energy, run_file, trial

from joulemark.reports.html import render
from joulemark.suite.results.run_files import read

PHONE = {"width": 390, "height": 844}
ITEMS = ("image", "sequence")


@pytest.fixture(scope="module")
def many_rows() -> str:
    made = [
        case(f"w{i:02d}", framework, mode, item=ITEMS[i % 2], trials=trials(100.0 + i, 50.0, 5.0 + i))
        for i in range(30)
        for framework, mode in (("pytorch", "eager"), ("tensorflow", "graph"))
    ]
    return render([summarised(run_file(made))])


def box(page: Any, selector: str) -> dict[str, float]:
    """Return the position and size of an element on the screen."""
    bounds: dict[str, float] = page.locator(selector).first.bounding_box()
    return bounds


def test_heading_sorts_best_first_and_missing_last(tab: Open, html: str) -> None:
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
    assert "sort=energy_per_item_j.descending" in address_state(page)


def test_headings_and_names_stay_in_sight(tab: Open, many_rows: str) -> None:
    page = tab(many_rows, viewport=PHONE).open()
    page.locator("#results .scroll").first.scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#results .scroll').scrollTo(400, 1500)")
    scroll, head = box(page, "#results .scroll"), box(page, "#results thead th[data-key]")
    assert scroll["height"] <= PHONE["height"]
    assert head["y"] == pytest.approx(scroll["y"], abs=1)
    for column in (1, 2):
        cell = box(page, f"#results tbody tr:nth-child(30) > :nth-child({column})")
        assert scroll["x"] <= cell["x"] < scroll["x"] + scroll["width"] / 2


def test_phone_shows_the_first_numbers(tab: Open, many_rows: str) -> None:
    page = tab(many_rows, viewport=PHONE).open()
    first = box(page, "#results tbody td:nth-child(3)")
    assert first["x"] + first["width"] <= PHONE["width"]


def test_rows_name_their_item_if_items_differ(tab: Open, many_rows: str) -> None:
    page = tab(many_rows).open()
    names = page.locator("#results tbody th").all_inner_texts()
    assert ["item: image" in name for name in names] == [i % 4 < 2 for i in range(60)]
    rows = download_csv(page, "[data-csv]")
    assert [row["item"] for row in rows] == [ITEMS[i // 2 % 2] for i in range(60)]


def test_common_item_is_named_once(tab: Open) -> None:
    page = tab(render([summarised(run_file([case(trials=trials(100.0, 50.0, 5.0))]))])).open()
    assert "An item is one image." in page.locator("#results .hint").first.inner_text()
    assert "item:" not in page.locator("#results tbody").inner_text()


def test_table_fits_a_window_of_1300_pixels(tab: Open) -> None:
    """All columns of a run with estimates, lower bounds and long numbers, without scrolling sideways."""
    for name in ("quick-2-cores", "h200-base-bf16", "standard-2-cores"):
        page = tab(render([read(DOCS / "results" / f"{name}.json")]), viewport={"width": 1300, "height": 900}).open()
        widths = "[...document.querySelectorAll('#results .scroll')].map((s) => s.scrollWidth - s.clientWidth)"
        assert max(page.evaluate(widths)) <= 0, name


def test_first_screen_has_the_answer_and_one_line_of_warnings(tab: Open) -> None:
    page = tab(render([read(DOCS / "results" / "quick-2-cores.json")]), viewport={"width": 1280, "height": 800}).open()
    assert box(page, "#overview .lead")["y"] < 400
    assert box(page, "#warnings")["height"] < 45
    assert page.locator("#warnings h2").inner_text() == "5 warnings, 1 severe"
    assert not page.locator(".notices").is_visible()
    page.locator("#warnings summary").first.click()
    assert page.locator(".notices > li").count() == 5
    assert page.locator(".notices").is_visible()


def test_reasons_stay_within_their_cells(tab: Open) -> None:
    """Energy below that of the idle machine: the reason stands in the column of net energy."""
    below = [trial(i, 123_456.0, readings=[energy(10.0)]) for i in (1, 2, 3)]
    page = tab(render([run_file([case(trials=below)])]), viewport={"width": 1280, "height": 900}).open()
    assert "not above idle" in page.locator(".results td.missing").first.inner_text()
    outside = page.evaluate(
        "[...document.querySelectorAll('.results td')].filter((cell) => [...cell.children].some((part) => "
        "part.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1 || "
        "part.getBoundingClientRect().left < cell.getBoundingClientRect().left - 1)).map((cell) => cell.innerText)"
    )
    assert outside == []
