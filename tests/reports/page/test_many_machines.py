"""Pages of many machines: ranked, searched, and small enough to open."""

from __future__ import annotations

import pytest
from chromium import Open
from many_machines import machines

from joulemark.reports.html import render


@pytest.fixture(scope="module")
def fifty() -> str:
    return render(machines(50))


def test_ranking_of_fifty_machines_is_searched_and_sorted(tab: Open, fifty: str) -> None:
    page = tab(fifty).open()
    rows = page.locator("#ranking-1 tbody tr")
    assert rows.count() == 50
    page.fill("input[data-search]", "NODE-04 processor")
    assert page.locator("#ranking-1 tbody tr:visible").count() == 10
    assert page.locator(".search output").inner_text() == "10 of 50 machines"
    page.fill("input[data-search]", "")
    assert page.locator("#ranking-1 tbody tr:visible").count() == 50
    page.locator("#ranking-1 thead button").nth(4).click()
    joules = page.evaluate(
        "[...document.querySelectorAll('#ranking-1 tbody tr')].map((tr) => +tr.cells[4].dataset.value)"
    )
    assert joules == sorted(joules, reverse=True)


def test_two_hundred_machines_open_and_every_part_is_there(tab: Open) -> None:
    page = tab(render(machines(200, rounds=2))).open()
    assert page.locator("#ranking-1 tbody tr").count() == 200
    assert page.locator("#power figure").count() == 12
    assert page.evaluate("document.querySelectorAll('script[data-run]').length") == 200
    assert page.evaluate("document.querySelectorAll('*').length") < 100_000  # a hundred thousand take seconds
    assert "200" in (page.locator("#environment .hint").text_content() or "")


def test_paper_has_the_first_rows_of_each_long_chart(tab: Open, fifty: str) -> None:
    page = tab(fifty).open()
    page.emulate_media(media="print")
    shown = page.evaluate(
        "[...document.querySelectorAll('.tall')].map((chart) => [chart.children.length,"
        " [...chart.children].filter((plot) => getComputedStyle(plot).display !== 'none').length])"
    )
    assert shown
    assert min(slices for slices, _ in shown) > 1
    assert {visible for _, visible in shown} == {1}
