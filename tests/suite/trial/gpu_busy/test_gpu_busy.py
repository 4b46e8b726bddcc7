"""The union of what ran on a GPU, as a share of a step's time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulemark.suite.trial.gpu_busy import Interval, busy_s, busy_share

MOMENTS = st.integers(0, 60)


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([], 0.0),
        ([(3.0, 4.0)], 1.0),
        ([(0.0, 1.0), (2.0, 4.0)], 3.0),  # a pause counts for nothing
        ([(0.0, 1.0), (1.0, 2.0)], 2.0),  # one kernel right after the other
        ([(0.0, 3.0), (1.0, 2.0)], 3.0),  # a copy on a second stream, within a kernel
        ([(0.0, 2.0), (1.0, 3.0)], 3.0),
        ([(0.0, 10.0), (1.0, 2.0), (3.0, 11.0), (20.0, 21.0)], 12.0),
        ([(5.0, 6.0), (0.0, 1.0)], 2.0),  # traces are not in order of time
        ([(1.0, 1.0)], 0.0),
        ([(-2.0, -1.0), (-1.5, 0.5)], 2.5),
    ],
)
def test_union(intervals: list[Interval], expected: float) -> None:
    assert busy_s(intervals) == pytest.approx(expected)


@given(st.lists(st.tuples(MOMENTS, MOMENTS).map(lambda ends: (min(ends), max(ends)))))
def test_union_counts_each_second_that_is_covered_once(intervals: list[tuple[int, int]]) -> None:
    covered = {second for start, end in intervals for second in range(start, end)}
    random.Random(len(intervals)).shuffle(intervals)
    assert busy_s(intervals) == len(covered)


def test_the_share_is_that_of_the_step_without_the_profiler() -> None:
    """Under the profiler the four steps take 100 ms each, without it 20 ms; kernels take 5 ms of either."""
    kernels = [(0.1 * step + start, 0.1 * step + start + 0.0025) for step in range(4) for start in (0.0, 0.05)]
    assert busy_share(kernels, steps=4, step_s=0.02) == pytest.approx(0.25)


def test_a_share_is_never_above_one() -> None:
    """A kernel may take a little longer under the profiler."""
    assert busy_share([(0.0, 1.02)], steps=1, step_s=1.0) == 1.0
