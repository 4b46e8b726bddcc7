"""Ticks of logarithmic axes."""

from __future__ import annotations

import math

from joulemark.reports.plotting.axes import ticks


def test_ticks_are_round_and_within_the_axis() -> None:
    for low, high in ((-3.0, 5.0), (0.0, 0.2), (2.3, 3.4), (-9.5, -8.0)):
        values, texts = ticks(low, high)
        assert 2 <= len(values) <= 16
        assert len(texts) == len(values)
        assert all(value is not None and low - 1e-9 <= math.log10(value) <= high + 1e-9 for value in values)
    assert ticks(2.9, 4.1)[1] == ["1k", "2k", "5k", "10k"]
