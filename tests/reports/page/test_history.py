"""The page of `joulemark history` in the browser: charts are drawn, and follow the theme."""

from __future__ import annotations

from chromium import Open


def test_charts_are_drawn_and_the_theme_switches(tab: Open, history: str) -> None:
    opened = tab(history, color_scheme="light")
    page = opened.open()
    opened.draw_all()
    assert page.locator(".plot .scatterlayer .point").count() == 12
    page.locator("#theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
