"""Totals that grow read by read, against what a generated counter really counted and against numpy's trapezoids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joulemark.suite.records import Channel
from joulemark.suite.watch.channel_energy import ChannelEnergy

WRAP_J = 1000.0
PERIOD_S = 0.1
JOULES = Channel(component="package", scope="package-0", unit="J", kind="counter", highest_limit_w=200.0)
WATTS = Channel(component="gpu", scope="GPU-1", unit="W", kind="integrated", limit_w=400.0)
POWERS = st.lists(st.floats(1, 200), min_size=40, max_size=150)


def added(energy: ChannelEnergy, reads: list[tuple[float, float | None]], sizes: list[int]) -> list[float]:
    """Add `reads` in pieces of `sizes`, again and again; return the total after each piece."""
    totals, begin, number = [], 0, 0
    while begin < len(reads):
        size = sizes[number % len(sizes)]
        energy.add(reads[begin : begin + size])
        totals.append(energy.energy_j)
        begin, number = begin + size, number + 1
    return totals


@settings(max_examples=40)
@given(
    powers=POWERS,
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    start=st.floats(0, WRAP_J),
    data=st.data(),
)
def test_a_counter_s_joules_survive_wraps_missed_reads_and_nonsense(powers, sizes, start, data):
    true_j = np.concatenate([[0.0], np.cumsum(np.array(powers) * PERIOD_S)])
    shown: list[float | None] = [float((start + value) % WRAP_J) for value in true_j]
    inside = st.lists(st.integers(10, len(shown) - 10), max_size=4)
    for i in data.draw(inside):
        shown[i] = None
    for i in data.draw(inside):
        shown[i] = data.draw(st.sampled_from([-1.0, 2 * WRAP_J, float("inf")]))  # outside of its range
    energy = ChannelEnergy(JOULES, WRAP_J, 1.0)
    totals = added(energy, [(n * PERIOD_S, value) for n, value in enumerate(shown)], sizes)
    assert energy.energy_j == pytest.approx(true_j[-1], abs=1e-6)
    assert totals == sorted(totals)
    assert energy.unmeasured_s == 0


def test_a_value_that_the_hardware_cannot_have_counted_adds_nothing():
    # 50 W, and one read shows 900 J too many: 9 kW for a tenth of a second.
    shown = [5.0 * n for n in range(60)]
    shown[30] += 900
    energy = ChannelEnergy(JOULES, 262143.0, 1.0)
    totals = added(energy, [(n * PERIOD_S, value) for n, value in enumerate(shown)], [1])
    assert energy.energy_j == pytest.approx(295.0)
    assert totals == sorted(totals)
    assert max(np.diff(totals)) < 20  # nor did it show for a moment


def test_a_value_that_was_believed_for_a_moment_takes_nothing_back():
    """50 W, and one read shows 12 J too many, as 170 W would: only the next one tells that it was wrong."""
    shown = [5.0 * n for n in range(60)]
    shown[30] += 12
    energy = ChannelEnergy(JOULES, 262143.0, 1.0)
    totals = added(energy, [(n * PERIOD_S, value) for n, value in enumerate(shown)], [1])
    assert totals[30] == pytest.approx(162.0)
    assert totals == sorted(totals)
    assert energy.energy_j == pytest.approx(295.0)


def test_a_restart_is_counted_once_and_never_backwards():
    """The driver is loaded again: the counter begins at 0, and what it had counted since the last read is not known."""
    shown = [7000.0 + 5 * n for n in range(40)] + [5.0 * n for n in range(1, 41)]
    energy = ChannelEnergy(JOULES, 262143.0, 1.0)
    totals = added(energy, [(n * PERIOD_S, value) for n, value in enumerate(shown)], [3, 1, 7])
    assert totals == sorted(totals)
    assert energy.energy_j == pytest.approx(5.0 * 79, abs=1e-6)  # the gap has the power around it


def test_a_counter_goes_on_while_nobody_reads_it():
    energy = ChannelEnergy(JOULES, 262143.0, 1.0)
    energy.add([(n * PERIOD_S, 5.0 * n) for n in range(20)])
    energy.add([(100 + n * PERIOD_S, 5000 + 5.0 * n) for n in range(20)])
    assert energy.energy_j == pytest.approx(5000 + 95)
    assert energy.unmeasured_s == 0


def test_a_counter_that_fails_for_a_while_is_taken_up_where_it_was():
    energy = ChannelEnergy(JOULES, 262143.0, 1.0)
    energy.add([(n * PERIOD_S, 5.0 * n) for n in range(20)])
    energy.add([(2 + n * PERIOD_S, None) for n in range(500)])
    energy.add([(52 + n * PERIOD_S, 1e9) for n in range(500)])  # out of its range
    assert energy.energy_j == pytest.approx(95)
    energy.add([(102 + n * PERIOD_S, 5100 + 5.0 * n) for n in range(20)])
    assert energy.energy_j == pytest.approx(5100 + 95)


def test_a_gap_in_which_a_counter_may_have_wrapped_twice_is_reported():
    energy = ChannelEnergy(JOULES, WRAP_J, 1.0)
    energy.add([(n * PERIOD_S, 5.0 * n) for n in range(20)])
    energy.add([(61.9 + n * PERIOD_S, (3095 + 5.0 * n) % WRAP_J) for n in range(20)])
    assert energy.unmeasured_s == pytest.approx(60.0)
    assert energy.energy_j <= 3095 + 95  # a lower bound


@settings(max_examples=40)
@given(powers=POWERS, sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_power_is_integrated_as_numpy_does(powers, sizes):
    times = np.arange(len(powers)) * PERIOD_S
    energy = ChannelEnergy(WATTS, None, 1.0)
    totals = added(energy, list(zip(times.tolist(), powers, strict=True)), sizes)
    assert energy.energy_j == pytest.approx(np.trapezoid(powers, times), rel=1e-9)
    assert totals == sorted(totals)


def test_time_without_power_samples_is_not_filled_in():
    energy = ChannelEnergy(WATTS, None, 1.0)
    energy.add([(n * PERIOD_S, 100.0) for n in range(21)])
    assert energy.power_w() == pytest.approx(100.0)
    energy.add([(2.0 + n * PERIOD_S, None) for n in range(1, 100)])
    assert energy.silent_s(11.9) == pytest.approx(9.9)
    energy.add([(12.0 + n * PERIOD_S, 300.0) for n in range(21)])
    assert energy.energy_j == pytest.approx(200 + 600)
    assert energy.unmeasured_s == pytest.approx(10.0)
    assert energy.power_w() == pytest.approx(300.0)  # and not over the gap
    assert energy.silent_s(14.1) is None


@pytest.mark.parametrize("span_s", [1.0, 10.0, 30.0])
def test_power_is_the_mean_over_the_interval(span_s):
    energy = ChannelEnergy(JOULES, None, span_s)
    times = np.arange(0, 60, PERIOD_S)
    true_j = np.interp(times, [0, 50, 60], [0, 50 * 50, 50 * 50 + 10 * 150])  # 50 W, in the end 150 W
    added(energy, list(zip(times.tolist(), true_j.tolist(), strict=True)), [10])
    begin_j, end_j = np.interp([times[-1] - span_s, times[-1]], times, true_j)
    assert energy.power_w() == pytest.approx((end_j - begin_j) / span_s, rel=0.02)


def test_a_sensor_without_a_value_is_silent():
    energy = ChannelEnergy(JOULES, None, 1.0)
    energy.add([(0.0, None), (0.1, None)])
    assert (energy.power_w(), energy.energy_j) == (None, 0.0)
    assert energy.silent_s(0.2) == float("inf")
