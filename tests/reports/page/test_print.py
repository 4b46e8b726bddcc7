"""The page on paper: whatever window it is printed from, nothing is cut off."""

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
"""Upright, within the page's margins of 14 mm."""


@pytest.fixture(scope="module")
def html() -> str:
    """A page of 40 cases with long numbers, one warning about all of them."""
    warned = Notice.of(Code.HIGH_VARIANCE, 0.2, 0.1)
    found = [case(f"w{i:02d}", trials=trials(123_456.0 + i, 50.0, 5.0 + i), notices=(warned,)) for i in range(40)]
    return render([summarised(run_file(found))])


def widths(page: Any) -> list[float]:
    """Widths of all drawn charts, pixels."""
    found: list[float] = page.evaluate(
        "[...document.querySelectorAll('.plot .main-svg:first-child')].map((svg) => svg.getBoundingClientRect().width)"
    )
    return found


def test_charts_are_as_wide_as_paper_and_then_as_the_screen_again(tab: Open, html: str) -> None:
    opened = tab(html, viewport={"width": 1440, "height": 900})
    page = opened.open()
    opened.draw_all()
    before = widths(page)
    assert max(before) > A4_PX
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert max(widths(page)) <= A4_PX
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert widths(page) == before


def test_the_table_fits_on_upright_paper(tab: Open, html: str) -> None:
    page = tab(html, viewport={"width": A4_PX, "height": 971}).open()
    page.emulate_media(media="print")
    assert page.evaluate("document.querySelector('table.results').getBoundingClientRect().right") <= A4_PX
    sizes = "(name) => parseFloat(getComputedStyle(document.querySelector('#results tbody ' + name)).fontSize)"
    assert page.evaluate(sizes, "td small") < page.evaluate(sizes, "td span")
    # A button is not painted in headings that are repeated on a later page.
    assert page.evaluate("getComputedStyle(document.querySelector('#results thead button')).display") == "contents"


def test_paper_names_a_few_of_many_affected_cases(tab: Open, html: str) -> None:
    page = tab(html, viewport={"width": A4_PX, "height": 971}).open()
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('.notices details').forEach((details) => { details.open = true; })")
    assert page.locator(".notices li li").count() == 40
    assert page.locator(".notices li li:visible").count() == 4
    page.emulate_media(media="screen")
    assert page.locator(".notices li li:visible").count() == 40
