"""Charts in the browser: all drawn, with the pages' colours, readable ticks and escaped text."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from chromium import Open, wait_until
from report_files import full
from run_files import case, failed_trial, run_file

from joulemark.reports.html import render


def test_every_chart_is_drawn(tab: Open, html: str) -> None:
    opened = tab(html)
    page = opened.open()
    opened.draw_all()
    plots = page.locator(".plot")
    assert plots.count() >= 10
    for i in range(plots.count()):
        assert plots.nth(i).locator(".xy, .x2y2").count() >= 1
    assert page.locator(".modebar, .js-plotly-plot a").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system_and_switches_with_the_charts(tab: Open, html: str, scheme: str) -> None:
    opened = tab(html, color_scheme=scheme)
    page = opened.open()
    assert page.locator("html").get_attribute("data-theme") == scheme
    opened.draw_all()
    tick_colours = "[...document.querySelectorAll('.xtick text')].map(node => getComputedStyle(node).fill)"
    (before,) = set(page.evaluate(tick_colours))
    page.locator("#theme").click()
    wait_until(page, f"{tick_colours}.every((colour) => colour !== '{before}')")
    assert len(set(page.evaluate(tick_colours))) == 1


@pytest.mark.parametrize("width", [390, 1200])
def test_ticks_are_level_and_no_labels_overlap(tab: Open, html: str, width: int) -> None:
    opened = tab(html, viewport={"width": width, "height": 844})
    page = opened.open()
    opened.draw_all()
    axes = page.evaluate(
        """[...document.querySelectorAll('.plot .xaxislayer-above')].map((axis) =>
          [...axis.querySelectorAll('.xtick text')].map((text) => {
            const { left, right } = text.getBoundingClientRect();
            return [/rotate\\((?!0[,)])/.test(text.getAttribute('transform')), left, right];
          }).sort((a, b) => a[1] - b[1]))"""
    )
    assert len(axes) >= 10
    for ticks in axes:
        assert not any(rotated for rotated, _, _ in ticks)
        assert all(before[2] <= after[1] for before, after in pairwise(ticks)), ticks
    charts = page.evaluate(
        """[...document.querySelectorAll('.plot')].map((plot) =>
          [...plot.querySelectorAll('.ytick text')].map((text) => {
            const { top, bottom } = text.getBoundingClientRect();
            return [top, bottom];
          }).sort((a, b) => a[0] - b[0]))"""
    )
    assert sum(len(labels) > 2 for labels in charts) >= 5
    for labels in charts:
        assert all(before[1] <= after[0] + 1 for before, after in pairwise(labels)), labels


def test_hostile_text_is_escaped_in_charts(tab: Open) -> None:
    hostile = "</script><img src=x onerror=alert(1)><a href='javascript:alert(2)'>{{7*7}}%{x}\u202e" + "x" * 10_000
    run = run_file([case(hostile, id="a"), case("b", hostile, hostile, id="c"), case(id="e", trials=[failed_trial()])])
    opened = tab(render([run, full()]))
    page = opened.open()
    opened.draw_all()
    assert page.locator("img").count() == 0
    assert page.locator("main a:not([href^='#'])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


def test_page_without_plotly_keeps_its_numbers(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(render([full()], plotlyjs="absent.js"), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator(".no-chart").first.is_visible()
    assert page.locator("#results tbody tr").count() == len(full().cases)
    assert set(page.locator("[data-save]").all_inner_texts()) == {"CSV"}
    page.close()
