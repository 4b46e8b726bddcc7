"""The table of results where it is long or the screen is narrow: what a row and a column are stays in sight."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from chromium import Open
from report_files import full, summarised, trials
from run_files import case, run_file

from joulemark.reports.html import render

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def many() -> str:
    found = [
        case(f"w{i:02d}", *way, item=("image", "sequence")[i % 2], trials=trials(100.0 + i, 50.0, 5.0 + i))
        for i in range(30)
        for way in (("pytorch", "eager"), ("tensorflow", "graph"))
    ]
    return render([summarised(run_file(found))])


def box(page: Any, what: str) -> dict[str, float]:
    """Where something is on the screen."""
    found: dict[str, float] = page.locator(what).first.bounding_box()
    return found


def test_headings_and_names_stay_in_sight(tab: Open, many: str) -> None:
    page = tab(many, viewport=PHONE).open()
    page.locator("#results .scroll").first.scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#results .scroll').scrollTo(400, 1500)")
    scroll, head = box(page, "#results .scroll"), box(page, "#results thead th[data-key]")
    assert scroll["height"] <= PHONE["height"]
    assert head["y"] == pytest.approx(scroll["y"], abs=1)
    for column in (1, 2):
        cell = box(page, f"#results tbody tr:nth-child(30) > :nth-child({column})")
        assert scroll["x"] <= cell["x"] < scroll["x"] + scroll["width"] / 2


def test_a_phone_shows_the_first_numbers(tab: Open, many: str) -> None:
    page = tab(many, viewport=PHONE).open()
    first = box(page, "#results tbody td:nth-child(3)")
    assert first["x"] + first["width"] <= PHONE["width"]


@pytest.mark.parametrize("width", [390, 1200])
def test_ticks_are_level_and_apart(tab: Open, width: int) -> None:
    opened = tab(render([full()]), viewport={"width": width, "height": 844})
    page = opened.open()
    opened.draw_all()
    page.wait_for_timeout(300)
    ticks = page.evaluate(
        """[...document.querySelectorAll('.plot .xaxislayer-above')].map((axis) =>
          [...axis.querySelectorAll('.xtick text')].map((text) => {
            const { left, right } = text.getBoundingClientRect();
            return [/rotate\\((?!0[,)])/.test(text.getAttribute('transform')), left, right];
          }).sort((a, b) => a[1] - b[1]))"""
    )
    assert len(ticks) >= 10
    for axis in ticks:
        assert not any(turned for turned, _, _ in axis)
        assert all(before[2] <= after[1] for before, after in pairwise(axis)), axis


def test_each_row_says_what_an_item_is(tab: Open, many: str) -> None:
    page = tab(many).open()
    names = page.locator("#results tbody th").all_inner_texts()
    assert ["item: image" in name for name in names] == [i % 4 < 2 for i in range(60)]
    with page.expect_download() as taken:
        page.locator("[data-csv]").click()
    rows = list(csv.DictReader(io.StringIO(Path(taken.value.path()).read_text(encoding="utf-8"))))
    assert [row["item"] for row in rows] == [("image", "sequence")[i // 2 % 2] for i in range(60)]


def test_one_item_is_said_once(tab: Open) -> None:
    page = tab(render([summarised(run_file([case(trials=trials(100.0, 50.0, 5.0))]))])).open()
    assert "An item is one image." in page.locator("#results .hint").first.inner_text()
    assert "item:" not in page.locator("#results tbody").inner_text()
