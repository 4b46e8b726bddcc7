"""The noise floor: two times, or one line that says why not."""

from __future__ import annotations

import os

import pytest

from joulemark.suite.errors import MeasurementError
from joulemark.suite.trial import noise_floor


def test_both_loops_take_time() -> None:
    found = noise_floor.measure(os.environ)
    assert found.keys() == {"arithmetic_s", "copy_s"}
    assert all(0 < value < 60 for value in found.values())


def test_a_floor_that_fails_is_one_sentence() -> None:
    with pytest.raises(MeasurementError) as caught:
        noise_floor.measure({**os.environ, "PYTHONHOME": "/nowhere"})
    assert str(caught.value).startswith("a fixed loop failed: ")
    assert "[" not in str(caught.value)
    assert "\n" not in str(caught.value)
