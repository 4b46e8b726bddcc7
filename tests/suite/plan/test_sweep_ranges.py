"""Ranges of a sweep: their values, and what is none."""

from __future__ import annotations

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.sweep_ranges import parse_over, parse_slowdown


def test_values_of_ranges_and_lists() -> None:
    over = parse_over(
        ["power-limit=300:700:50", "batch-size=1:512:x2", "threads=1,2, 8,2", "mode=eager,compile", "clock=1410"]
    )
    assert over == {
        "power-limit": (300, 350, 400, 450, 500, 550, 600, 650, 700),
        "batch-size": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
        "threads": (1, 2, 8),
        "mode": ("eager", "compile"),
        "clock": (1410,),
    }
    assert list(over) == ["power-limit", "batch-size", "threads", "mode", "clock"]
    assert parse_over(["threads=1:16:x2", "power-limit=300:420:50", "batch-size=2:4"]) == {
        "threads": (1, 2, 4, 8, 16),
        "power-limit": (300, 350, 400),
        "batch-size": (2, 3, 4),
    }


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["power-limit"], ["'power-limit'", "KEY=RANGE"]),
        (["powerlimit=300"], ["'powerlimit'", "Did you mean 'power-limit'"]),
        (["threads=8:1:1"], ["threads=8:1:1", "empty", "8 is above 1"]),
        (["threads=8:1:x2"], ["empty", "8 is above 1"]),
        (["threads=1:8:0"], ["step is 0"]),
        (["threads=1:8:x1"], ["factor is 1"]),
        (["threads=0:8:x2"], ["begins at 0"]),
        (["threads=0,1"], ["from 1 to"]),
        (["threads=two"], ["threads=two", "FIRST:LAST:STEP"]),
        (["threads=-1"], ["no range"]),
        (["threads=1.5"], ["no range"]),
        (["threads="], ["no range"]),
        (["threads=1:"], ["no range"]),
        (["threads=2:1"], ["empty", "2 is above 1"]),
        (["threads=1:4:"], ["no range"]),
        (["threads=\u0661:\u0664"], ["no range"]),
        (["threads=\u0661"], ["no range"]),
        (["batch-size=1:1000000000:1"], ["more than 64 values"]),
        (["batch-size=99999999999999999999"], ["from 1 to"]),
        (["mode=eager,"], ["one of the names is empty"]),
        (["mode=eager", "mode=compile"], ["given twice"]),
    ],
)
def test_what_is_no_range_is_named(options, texts) -> None:
    with pytest.raises(UsageError) as caught:
        parse_over(options)
    message = str(caught.value)
    assert "\n" not in message
    assert all(text in message for text in texts), message


def test_slowdown_is_a_percentage_or_a_share() -> None:
    assert (parse_slowdown("5%"), parse_slowdown("0.1"), parse_slowdown("0")) == (0.05, 0.1, 0.0)
    for text in ("5x", "100%", "-1%", "nan", "5"):
        with pytest.raises(UsageError, match="--slowdown"):
            parse_slowdown(text)
