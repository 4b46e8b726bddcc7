"""The noise floor: two durations, or one line on why there are none."""

from __future__ import annotations

import os

import pytest

from joulemark.suite.errors import MeasurementError
from joulemark.suite.trial import noise_floor


def test_both_loops_take_time() -> None:
    durations = noise_floor.measure(os.environ)
    assert durations.keys() == {"arithmetic_s", "copy_s"}
    assert all(seconds > 0 for seconds in durations.values())


def test_a_failure_is_one_line() -> None:
    with pytest.raises(MeasurementError) as caught:
        noise_floor.measure({**os.environ, "PYTHONHOME": "/nowhere"})
    assert str(caught.value).startswith("the fixed loop failed: ")
    assert "[" not in str(caught.value)
    assert "\n" not in str(caught.value)
