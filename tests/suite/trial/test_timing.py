"""Warm-up, calibration and windows, on steps of known duration, which advance a clock of their own.

`test_worker.py` measures a real sleep with the real clock.
"""

from __future__ import annotations

import gc

import pytest

from joulemark.suite.trial import timing
from joulemark.suite.trial.request import Effort

EFFORT = Effort(window_s=0.2, warmup_s=0.02, max_warmup_s=0.5, guard_s=0.02)


class FakeClock:
    """A clock that advances only when something takes time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def takes(self, seconds: float):
        """Return a step, or a synchronisation, that takes `seconds`."""

        def step() -> None:
            self.now += seconds

        return step


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def no_wait() -> None:
    """No device to wait for."""


def test_warm_up_runs_its_minimum_of_slow_steps(clock):
    durations = timing.warm_up(clock.takes(1.0), no_wait, Effort(0.1, 0.0, 0.0, 0.0), clock)
    assert durations == [1.0] * timing.MIN_WARMUP_STEPS


def test_warm_up_continues_while_steps_get_faster(clock):
    calls = 0

    def step() -> None:
        nonlocal calls
        calls += 1
        clock.now += 0.001 + 0.020 / calls**2

    durations = timing.warm_up(step, no_wait, Effort(0.1, 0.0, 10.0, 0.0), clock)
    quarter = len(durations) // 4
    assert len(durations) > timing.MIN_WARMUP_STEPS
    assert durations[-quarter] < 1.06 * durations[-1]


def test_warm_up_ends_in_time_if_steps_never_settle(clock):
    calls = 0

    def step() -> None:
        nonlocal calls
        calls += 1
        clock.now += 0.001 * 1.1**calls

    timing.warm_up(step, no_wait, Effort(0.1, 0.0, 0.3, 0.0), clock)
    assert 0.3 <= clock.now < 0.3 * 1.2


def test_short_steps_are_grouped_in_blocks_and_long_ones_are_not(clock):
    assert timing.steps_per_block([1e-4] * 10, no_wait, clock) == round(timing.BLOCK_S / 1e-4)
    assert timing.steps_per_block([0.5] * 10, no_wait, clock) == 1


def test_a_slow_synchronisation_makes_blocks_longer(clock):
    # Steps timed one by one include a synchronisation each; a block of them has one.
    count = timing.steps_per_block([2e-3] * 10, clock.takes(0.001), clock)
    assert 0.001 / (count * 0.001) == pytest.approx(1 / timing.BLOCK_OVERHEADS)
    assert timing.steps_per_block([1e-3] * 10, clock.takes(0.001), clock) == 100 * timing.BLOCK_OVERHEADS


def test_the_window_consists_of_its_steps(clock):
    calls = 0

    def step() -> None:
        nonlocal calls
        calls += 1
        clock.now += 0.001

    edges: list[int] = []
    window = timing.measure(step, no_wait, 5, EFFORT, lambda: edges.append(calls), clock)
    # One block runs between the first edge and the window, none between the window and the second edge.
    assert window.steps == edges[1] - edges[0] - 5
    assert window.steps == 5 * len(window.block_s)
    assert calls > edges[1]
    assert sum(window.block_s) == pytest.approx(window.end - window.start, rel=1e-9)


def test_the_step_runs_before_and_after_the_window(clock):
    window = timing.measure(clock.takes(0.001), no_wait, 5, EFFORT, clock=clock)
    assert window.start >= EFFORT.guard_s
    assert clock.now - window.end >= EFFORT.guard_s


def test_a_step_longer_than_the_window_gives_the_minimum_of_blocks(clock):
    window = timing.measure(clock.takes(2.0), no_wait, 1, Effort(0.001, 0.0, 0.0, 0.0, min_blocks=5), clock=clock)
    assert window.block_s == (2.0,) * 5


def test_a_block_consists_of_its_steps_and_one_synchronisation(clock):
    window = timing.measure(clock.takes(0.004), clock.takes(0.001), 5, EFFORT, clock=clock)
    assert window.block_s[0] == pytest.approx(5 * 0.004 + 0.001)


def test_twice_the_steps_take_twice_as_long(clock):
    short = timing.measure(clock.takes(0.002), no_wait, 4, EFFORT, clock=clock)
    long = timing.measure(clock.takes(0.002), no_wait, 8, EFFORT, clock=clock)
    assert long.block_s[0] / short.block_s[0] == pytest.approx(2)


def test_single_steps_are_timed_one_by_one(clock):
    durations = timing.step_times(clock.takes(0.01), clock.takes(0.002), 0.1, clock)
    assert durations == pytest.approx([0.012] * 9)


def test_garbage_collection_is_off_in_the_window_and_on_after_it(clock):
    states = []

    def step() -> None:
        states.append(gc.isenabled())
        clock.now += 0.01

    timing.measure(step, no_wait, 1, EFFORT, clock=clock)
    assert set(states) == {False}
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([1.0, 1.01] * 20, "steady"),
        ([1.0 + 0.005 * i for i in range(40)], "drifting"),
        ([1.0 + 0.0005 * i for i in range(40)], "steady"),
        ([1.0] * 5, "unknown"),
        ([1.0] * 40, "steady"),
    ],
    ids=["jitter", "trend of 20 %", "trend of 2 %", "too few", "constant"],
)
def test_steadiness_of_a_window(blocks, expected):
    assert timing.steadiness(tuple(blocks)) == expected
