"""Where looks fall in a step: against closed forms, and against loads whose energy is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulemark.suite.energy.aliasing import PERIOD_ERROR, PERIODS_TRIED, unevenness, worst_unevenness
from joulemark.suite.energy.integration import MAX_SAMPLES, Curve
from joulemark.suite.records import Channel, Trace
from joulemark.suite.sensors import simulated_loads

CYCLE_S, LOOK_S, LOOKS = 0.1, 0.025, 60


@pytest.mark.parametrize(
    ("step_s", "share"),
    [
        (0.1, 0.75),  # one phase only: all but the look
        (0.2, 0.375),  # two phases: the gap of 75 ms between two looks
        (0.3, 0.25),  # three
        (0.05, 0.5),  # a look is half of a step
        (0.2 / 3, 0.125),  # two phases, 33 ms apart: a gap of 8.3 ms
        (0.025, 0.0),  # a look is exactly one step
        (0.02, 0.15),  # a look is a step and a quarter: too much of the quarter, (1 - f) f / (1 + f)
    ],
)
def test_steps_that_keep_pace_leave_a_gap(step_s: float, share: float) -> None:
    assert unevenness(step_s, CYCLE_S, LOOK_S, LOOKS) == pytest.approx(share, abs=1e-9)


@given(
    st.floats(0.004, 2.0), st.floats(0.02, 0.2), st.floats(0.05, 0.95), st.floats(0.02, 0.98), st.floats(0, 1),
    st.integers(1, 80),
)  # fmt: skip
def test_no_pulse_is_misread_by_more(
    step_s: float, cycle_s: float, seen: float, duty: float, phase: float, looks: int
) -> None:
    """Of a load that is 1 W for a part of each step and else 0 W, looks show a mean that is off by no more."""
    load, begin_s = simulated_loads.square(step_s, duty, 1.0, 0.0), phase * step_s
    ends_s = begin_s + cycle_s * np.arange(1, looks + 1)
    seen_w = np.mean(load.energy_j(ends_s) - load.energy_j(ends_s - seen * cycle_s)) / (seen * cycle_s)
    true_w = load.mean_w((begin_s, begin_s + looks * cycle_s))
    assert abs(seen_w - true_w) <= unevenness(step_s, cycle_s, seen * cycle_s, looks) + 1e-6


def test_the_worst_pulse_is_misread_by_as_much() -> None:
    """The bound is reached: by the pulse that fills a gap."""
    load = simulated_loads.square(0.2, 0.375, 1.0, 0.0)
    ends_s = 0.1 * np.arange(1, LOOKS + 1)  # looks end at 0.1 and 0.2 and begin at 0.075 and 0.175
    assert float(np.sum(load.energy_j(ends_s) - load.energy_j(ends_s - LOOK_S))) == pytest.approx(0.0, abs=1e-9)
    assert unevenness(0.2, CYCLE_S, LOOK_S, LOOKS) == pytest.approx(load.mean_w((0.0, 0.1 * LOOKS)))


def test_no_more_looks_are_folded_than_tell_something() -> None:
    """A day of steps is told like the minutes that it begins with, and as soon."""
    day = 864_000
    times = tuple(CYCLE_S * n for n in range(100))
    channel = Channel(
        component="gpu", scope="0", unit="W", kind="integrated", tick_s=CYCLE_S, coverage=0.25, values=(1.0,) * 100
    )
    seen = Curve.around(Trace(sensor="test", t_s=times, channels=(channel,)), channel, (2.0, 8.0))
    for step_s in (CYCLE_S, 0.07, 0.43):
        expected = worst_unevenness(
            step_s, seen.sample_period_s, seen.observed_share * seen.sample_period_s, MAX_SAMPLES
        )
        assert seen.unevenness((0.0, day * CYCLE_S), step_s) == expected


def test_looks_at_one_part_of_each_step_are_seen_between_two_cycles_that_are_tried() -> None:
    """Steps that keep pace with a cycle half-way between two of those: over too many looks, both drift through."""
    between = 1 + PERIOD_ERROR / (PERIODS_TRIED - 1)
    found = worst_unevenness(CYCLE_S * between, CYCLE_S, LOOK_S, MAX_SAMPLES)
    assert found > 0.5
    assert worst_unevenness(CYCLE_S * between, CYCLE_S, LOOK_S, 8 * MAX_SAMPLES) < found / 2
