"""Unevenness of samples over a step: against closed forms, and against loads whose energy is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulemark.suite.energy.aliasing import PERIOD_ERROR, PERIODS_TRIED, unevenness, worst_unevenness
from joulemark.suite.energy.integration import Curve
from joulemark.suite.energy.reading_errors import MAX_SAMPLES, sampling_unevenness
from joulemark.suite.records import Channel, Trace
from joulemark.suite.sensors import simulated_loads

PERIOD_S, SAMPLE_S, SAMPLES = 0.1, 0.025, 60


@pytest.mark.parametrize(
    ("step_s", "share"),
    [
        (0.1, 0.75),  # one phase only: all but the sample
        (0.2, 0.375),  # two phases: the gap of 75 ms between two samples
        (0.3, 0.25),  # three
        (0.05, 0.5),  # a sample is half of a step
        (0.2 / 3, 0.125),  # two phases, 33 ms apart: a gap of 8.3 ms
        (0.025, 0.0),  # a sample is exactly one step
        (0.02, 0.15),  # a sample is a step and a quarter: too much of the quarter, (1 - f) f / (1 + f)
    ],
)
def test_aliased_steps_leave_a_gap(step_s: float, share: float) -> None:
    assert unevenness(step_s, PERIOD_S, SAMPLE_S, SAMPLES) == pytest.approx(share, abs=1e-9)


@given(
    st.floats(0.004, 2.0), st.floats(0.02, 0.2), st.floats(0.05, 0.95), st.floats(0.02, 0.98), st.floats(0, 1),
    st.integers(1, 80),
)  # fmt: skip
def test_unevenness_bounds_the_error_of_any_pulse(
    step_s: float, period_s: float, share: float, duty: float, phase: float, samples: int
) -> None:
    """The mean of the samples of a load that is 1 W for a part of each step, and else 0 W, is off by no more."""
    load, begin_s = simulated_loads.square(step_s, duty, 1.0, 0.0), phase * step_s
    ends_s = begin_s + period_s * np.arange(1, samples + 1)
    sampled_w = np.mean(load.energy_j(ends_s) - load.energy_j(ends_s - share * period_s)) / (share * period_s)
    true_w = load.mean_w((begin_s, begin_s + samples * period_s))
    assert abs(sampled_w - true_w) <= unevenness(step_s, period_s, share * period_s, samples) + 1e-6


def test_pulse_that_fills_a_gap_reaches_the_bound() -> None:
    load = simulated_loads.square(0.2, 0.375, 1.0, 0.0)
    ends_s = 0.1 * np.arange(1, SAMPLES + 1)  # samples end at 0.1 and 0.2 and begin at 0.075 and 0.175
    assert float(np.sum(load.energy_j(ends_s) - load.energy_j(ends_s - SAMPLE_S))) == pytest.approx(0.0, abs=1e-9)
    assert unevenness(0.2, PERIOD_S, SAMPLE_S, SAMPLES) == pytest.approx(load.mean_w((0.0, 0.1 * SAMPLES)))


def test_number_of_folded_samples_is_limited() -> None:
    """A day of steps takes no longer than the minutes that it begins with, and gives the same."""
    day = 864_000
    times = tuple(PERIOD_S * n for n in range(100))
    channel = Channel(
        component="gpu", scope="0", unit="W", kind="integrated", tick_s=PERIOD_S, coverage=0.25, values=(1.0,) * 100
    )
    curve = Curve.around(Trace(sensor="test", t_s=times, channels=(channel,)), channel, (2.0, 8.0))
    for step_s in (PERIOD_S, 0.07, 0.43):
        expected = worst_unevenness(
            step_s, curve.sample_period_s, curve.observed_share * curve.sample_period_s, MAX_SAMPLES
        )
        assert sampling_unevenness(curve, (0.0, day * PERIOD_S), step_s) == expected


def test_aliasing_is_found_between_two_periods_that_are_tried() -> None:
    """Steps alias with a period half-way between two of those: over too many samples, both drift through."""
    between = 1 + PERIOD_ERROR / (PERIODS_TRIED - 1)
    worst = worst_unevenness(PERIOD_S * between, PERIOD_S, SAMPLE_S, MAX_SAMPLES)
    assert worst > 0.5
    assert worst_unevenness(PERIOD_S * between, PERIOD_S, SAMPLE_S, 8 * MAX_SAMPLES) < worst / 2
