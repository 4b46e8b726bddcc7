"""Counters that may show the same register."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from joulemark.suite.sensors.rapl.counters import is_same_counter


@pytest.mark.parametrize(("power_ratio", "expected"), [(1.0, True), (1.001, False)])
def test_one_register_is_told_from_two_that_are_nearly_equal(power_ratio: float, expected: bool) -> None:
    """Both are updated each millisecond, as RAPL's are, and began at different counts."""

    def counter(power_w: float, offset: int) -> Callable[[], int]:
        return lambda: int(power_w * int(time.monotonic() * 1000) * 1e-3 / 61e-6) + offset

    assert is_same_counter(counter(50.0, 0), counter(50.0 * power_ratio, 12345)) is expected
