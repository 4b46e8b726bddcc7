"""The charts of several ranks: their sentence, their points, and on a narrow page."""

from __future__ import annotations

import pytest
from chromium import Open
from ranked_runs import ranked_run

from joulemark.reports.figures.ranks import figures
from joulemark.reports.html import render
from joulemark.reports.model import build

PHONE = {"width": 390, "height": 844}


def test_sentence_of_the_page_has_the_interval_of_the_ranks_that_it_names() -> None:
    summaries = [each.summary for run in (ranked_run(), ranked_run(low=None)) for each in figures(build([run]))]
    assert [text.rpartition(": ")[2] for text in summaries] == [
        "15% [12%, 18%] efficiency on 2 ranks.",
        "15% efficiency on 2 ranks.",
    ]
    (unknown_on_four,) = figures(build([ranked_run(ranks=(2, 4))]))
    assert unknown_on_four.summary.endswith("efficiency on 2 ranks.")


def test_points_of_the_baselines_lie_beside_each_other_at_their_number_of_ranks() -> None:
    (figure,) = figures(build([ranked_run(ranks=(1, 2, 4))]))
    for i, ranks in enumerate((1, 2, 4)):
        places = [curve["x"][i] for curve in figure.data]
        assert len(set(places)) == len(places)
        assert [round(place) for place in places] == [ranks] * len(places)
        assert [curve["customdata"][i] for curve in figure.data] == [ranks] * len(places)


@pytest.mark.browser
def test_ticks_of_ranks_are_their_numbers_on_a_phone_too(tab: Open) -> None:
    opened = tab(render([ranked_run(ranks=(1, 2, 4))]), viewport=PHONE)
    page = opened.open()
    opened.draw_all()
    ticks = page.locator("#ranks .xtick text")
    ticks.first.wait_for()
    assert ticks.all_text_contents() == ["1", "2", "4"]
