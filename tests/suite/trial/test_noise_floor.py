"""The noise floor: two durations, or one line on why there are none."""

from __future__ import annotations

import os
from importlib.metadata import version

import pytest

from joulemark.suite.errors import MeasurementError
from joulemark.suite.records import Floor
from joulemark.suite.trial import noise_floor


def test_both_loops_take_time() -> None:
    durations = noise_floor.measure(os.environ)
    assert durations.keys() == {"arithmetic_s", "copy_s"}
    assert all(seconds > 0 for seconds in durations.values())


def test_a_reference_repeats_both_loops_and_says_what_they_are_made_of() -> None:
    fields = noise_floor.measure({**os.environ, "OPENBLAS_NUM_THREADS": "1"}, repeat_s=0.05)
    floor = Floor(at_s=0.0, **fields)
    assert floor.loops is not None
    # The mean of so many loops, the last of which ends after 0.05 s.
    for mean_s, loops in zip((floor.arithmetic_s, floor.copy_s), floor.loops, strict=True):
        assert mean_s * loops >= 0.05
    assert floor.reference is not None
    assert floor.reference.startswith(f"loop {noise_floor.VERSION}, numpy {version('numpy')}, ")
    assert floor.reference.endswith(", 1 threads")


def test_a_failure_is_one_line() -> None:
    with pytest.raises(MeasurementError) as caught:
        noise_floor.measure({**os.environ, "PYTHONHOME": "/nowhere"})
    assert str(caught.value).startswith("the fixed loop failed: ")
    assert "[" not in str(caught.value)
    assert "\n" not in str(caught.value)
