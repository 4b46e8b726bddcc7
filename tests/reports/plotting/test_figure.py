"""Footnotes of figures."""

from __future__ import annotations

from joulemark.reports.plotting.figure import listed


def test_footnote_lists_a_few_things_and_counts_the_rest() -> None:
    assert listed("Lost", []) == ""
    assert listed("Lost", ["a", "b"]) == "Lost: a; b."
    assert listed("Lost", list("abcdef")) == "Lost: a; b; c; d; and 2 more."
