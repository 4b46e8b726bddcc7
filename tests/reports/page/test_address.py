"""The page's address: a link shows what its sender saw, and changes nothing on its reader's other pages."""

from __future__ import annotations

from typing import Any

import pytest
from chromium import Open, address_state, wait_until


def rows(page: Any) -> list[str]:
    """Return the cases in the order of the table."""
    keys: list[str] = page.evaluate("[...document.querySelectorAll('#results tbody tr')].map((tr) => tr.dataset.case)")
    return keys


def test_link_keeps_task_zone_and_theme(tab: Open, html: str) -> None:
    page = tab(html).open()
    page.select_option("#task", index=2)
    page.select_option("[name=zone]", "PL")
    page.locator("#theme").click()
    linked = tab(html).open(address_state(page))
    assert linked.locator("#tile-group h2").inner_text() == page.locator("#tile-group h2").inner_text()
    assert linked.input_value("[name=zone]") == "PL"
    assert linked.locator("html").get_attribute("data-theme") == "dark"


@pytest.mark.parametrize("name", ["case", "framework"])
def test_link_keeps_the_order_of_the_table(tab: Open, html: str, name: str) -> None:
    page = tab(html).open()
    page.locator("#results th[data-key=throughput] button").click()
    by_throughput = rows(page)
    for _ in range(2):  # a second click reverses the order
        page.locator("#results thead button", has_text=name.title()).first.click()
        assert rows(page) != by_throughput
        assert rows(tab(html).open(address_state(page))) == rows(page)


def test_theme_of_a_link_is_not_kept(tab: Open, html: str) -> None:
    opened = tab(html, color_scheme="light")
    theme = "document.documentElement.dataset.theme"
    assert opened.open("theme=dark").evaluate(theme) == "dark"
    page = opened.open()
    assert page.evaluate(theme) == "light"
    page.locator("#theme").click()
    assert opened.open().evaluate(theme) == "dark"
    assert opened.open("theme=light").evaluate(theme) == "light"
    assert opened.open().evaluate(theme) == "dark"


NOTICED = """(id) => new Promise((done) => new IntersectionObserver((entries, observer) => {
  observer.disconnect();
  done();
}).observe(document.getElementById(id)))"""
"""Waits until observers know whether an element is on the screen; those made before this one are told first."""


def test_address_names_a_place_until_the_reader_leaves_it(tab: Open, html: str) -> None:
    page = tab(html).open("zone=PL")
    page.locator("nav a[href='#results']").click()
    page.evaluate(NOTICED, "results")
    assert address_state(page) == "zone=PL&at=results"
    page.locator("#method").scroll_into_view_if_needed()
    wait_until(page, "location.hash !== '#zone=PL&at=results'")
    assert address_state(page) == "zone=PL"
