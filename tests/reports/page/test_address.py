"""The page's address: a link shows what its sender saw, and changes nothing for its reader's other pages."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import Open
from report_files import full

from joulemark.reports.html import render
from joulemark.suite.carbon import ember


@pytest.fixture(scope="module")
def html() -> str:
    return render([full()], zones=tuple(ember.countries().values()))


def rows(page: Any) -> list[str]:
    """The cases in the order of the table."""
    found: list[str] = page.evaluate("[...document.querySelectorAll('#results tbody tr')].map((tr) => tr.dataset.case)")
    return found


@pytest.mark.parametrize("name", ["case", "framework"])
def test_a_link_has_the_order_that_the_page_had(tab: Open, html: str, name: str) -> None:
    page = tab(html).open()
    page.locator("#results th[data-key=throughput] button").click()
    by_throughput = rows(page)
    for _ in range(2):  # a second click turns it round
        page.locator("#results thead button", has_text=name.title()).first.click()
        assert rows(page) != by_throughput
        again = tab(html).open(page.url.partition("#")[2])
        assert rows(again) == rows(page)


def test_a_link_does_not_choose_the_readers_theme(tab: Open, html: str) -> None:
    opened = tab(html, color_scheme="light")
    theme = "document.documentElement.dataset.theme"
    assert opened.open("theme=dark").evaluate(theme) == "dark"
    page = opened.open()
    assert page.evaluate(theme) == "light"
    page.locator("#theme").click()
    assert opened.open().evaluate(theme) == "dark"
    assert opened.open("theme=light").evaluate(theme) == "light"
    assert opened.open().evaluate(theme) == "dark"


def test_a_place_that_the_reader_has_left_is_not_in_the_address(tab: Open, html: str) -> None:
    page = tab(html).open("zone=PL")
    page.locator("nav a[href='#results']").click()
    page.wait_for_timeout(100)
    assert "at=results" in page.url
    page.locator("#method").scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    assert page.url.endswith("#zone=PL")
