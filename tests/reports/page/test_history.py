"""The page of `joulemark history` in the browser: charts are drawn, and follow the theme."""

from __future__ import annotations

from datetime import datetime, timedelta

from chromium import Open

from joulemark.reports.history_page import render
from joulemark.suite.results.history.series import Point, Series


def test_charts_are_drawn_and_the_theme_switches(tab: Open) -> None:
    start = datetime(2026, 11, 1)
    points = tuple(
        Point(f"r{i}", start + timedelta(days=i), 100.0 + i % 3, 99.0, 104.0, 3, {"framework": "2.13.0"})
        for i in range(12)
    )
    series = Series(
        case="cnn:small/training/pytorch/eager/cpu/fp32/b32",
        metric="throughput",
        unit="images/s",
        better="higher",
        fingerprint="aabbccddeeff",
        hostname="bench-1",
        workload_version="0123456789ab",
        kind=None,
        points=points,
        runs_without_value=0,
        changes=(),
    )
    opened = tab(render([series]), color_scheme="light")
    page = opened.open()
    opened.draw_all()
    assert page.locator(".plot .scatterlayer .point").count() == len(points)
    page.locator("#theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
