"""The page on paper: nothing is cut off, whatever window it is printed from."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import Open
from report_files import summarised, trials
from run_files import case, run_file

from joulemark.reports.html import render
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice

A4_PX = 688
"""Width of A4 portrait within the page's margins of 14 mm."""


@pytest.fixture(scope="module")
def long_page() -> str:
    """Return a page of 40 cases with long numbers, and one warning that applies to all of them."""
    notice = Notice.of(Code.HIGH_VARIANCE, 0.2, 0.1)
    made = [case(f"w{i:02d}", trials=trials(123_456.0 + i, 50.0, 5.0 + i), notices=(notice,)) for i in range(40)]
    return render([summarised(run_file(made))])


def chart_widths(page: Any) -> list[float]:
    """Return the widths of all drawn charts, pixels."""
    widths: list[float] = page.evaluate(
        "[...document.querySelectorAll('.plot .main-svg:first-child')].map((svg) => svg.getBoundingClientRect().width)"
    )
    return widths


def test_paper_has_every_chart(tab: Open, html: str) -> None:
    page = tab(html, color_scheme="dark").open()
    assert page.pdf().startswith(b"%PDF")
    assert page.locator(".plot[data-drawn]").count() == page.locator(".plot").count()


def test_charts_fit_on_paper_and_then_the_screen_again(tab: Open, long_page: str) -> None:
    opened = tab(long_page, viewport={"width": 1440, "height": 900})
    page = opened.open()
    opened.draw_all()
    before = chart_widths(page)
    assert max(before) > A4_PX
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert max(chart_widths(page)) <= A4_PX
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert chart_widths(page) == before


def test_results_table_fits_on_portrait_paper(tab: Open, long_page: str) -> None:
    page = tab(long_page, viewport={"width": A4_PX, "height": 971}).open()
    page.emulate_media(media="print")
    assert page.evaluate("document.querySelector('table.results').getBoundingClientRect().right") <= A4_PX
    font_size = "(name) => parseFloat(getComputedStyle(document.querySelector('#results tbody ' + name)).fontSize)"
    assert page.evaluate(font_size, "td small") < page.evaluate(font_size, "td span")
    # Browsers do not paint buttons in headings that are repeated on a later page.
    assert page.evaluate("getComputedStyle(document.querySelector('#results thead button')).display") == "contents"


def test_paper_names_a_few_of_many_affected_cases(tab: Open, long_page: str) -> None:
    page = tab(long_page, viewport={"width": A4_PX, "height": 971}).open()
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('.warnings details').forEach((details) => { details.open = true; })")
    assert page.locator(".notices li li").count() == 40
    assert page.locator(".notices li li:visible").count() == 4
    page.emulate_media(media="screen")
    assert page.locator(".notices li li:visible").count() == 40
