"""Times of updates from reads, against updates whose times are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from faulty_sensors import counter_trace

from joulemark.suite.energy.update_times import update_times
from joulemark.suite.energy.window_energy import compute_reading
from joulemark.suite.sensors.base import Sensor

READS = 60
POWER_W = 300.0
JITTER_S = 0.0003


def reads(
    period_s: float, read_s: float, phase_s: float, seed: int, changes: float = 0.02
) -> tuple[list[float], list[float], list[float]]:
    """Return times of reads, the counter at each, and when it had last been updated; power changes with each update."""
    rng = np.random.default_rng(seed)
    times_s = 1.0 + read_s * np.arange(READS) + rng.uniform(-JITTER_S, JITTER_S, READS)
    updates = np.floor((times_s - phase_s) / period_s).astype(int)
    energy_j = np.cumsum(POWER_W * period_s * (1 + changes * rng.standard_normal(updates[-1] + 1)))
    return times_s.tolist(), energy_j[updates].tolist(), (phase_s + period_s * updates).tolist()


@pytest.mark.parametrize(
    ("period_s", "read_s", "limit_s"),
    [(0.1, Sensor.period_s, 0.01), (0.02, Sensor.period_s, 0.008), (0.1, 0.64, 0.02)],
)
def test_updates_are_known_from_reads_that_do_not_keep_step(period_s: float, read_s: float, limit_s: float) -> None:
    wrong = 0
    for seed in range(50):
        phase_s = np.random.default_rng([7, seed]).uniform(0, period_s)
        read_at_s, values, updated_s = reads(period_s, read_s, phase_s, seed)
        times_s, error_s = update_times(read_at_s, values, period_s, [read_at_s[30]], is_counter=True)
        near = [abs(time_s - true_s) for time_s, true_s in zip(times_s[20:40], updated_s[20:40], strict=True)]
        assert error_s < limit_s
        assert np.median(near) <= error_s
        wrong += sum(distance > period_s / 2 for distance in near)  # read as it was updated
    assert wrong <= 0.1 * 50 * 20


def test_update_period_may_be_off_by_a_thousandth() -> None:
    for seed in range(20):
        phase_s = 0.005 * seed
        read_at_s, values, updated_s = reads(0.1, Sensor.period_s, phase_s, seed)
        times_s, error_s = update_times(read_at_s, values, 0.1001, [read_at_s[30]], is_counter=True)
        assert np.median(np.abs(np.subtract(times_s, updated_s))[25:35]) <= error_s < 0.012


def test_reads_that_keep_step_leave_values_half_a_period_old() -> None:
    read_at_s, values, _ = reads(0.1, 0.1, 0.04, seed=1)
    times_s, error_s = update_times(read_at_s, values, 0.1, [read_at_s[30]], is_counter=True)
    assert error_s == pytest.approx(0.05)
    assert times_s == pytest.approx([time_s - 0.05 for time_s in read_at_s])


def test_reads_with_two_updates_and_none_tell_when_these_are() -> None:
    """Reads that keep step, but fall just before or after an update: as in the log of a real GPU, some see two at once
    and the next none."""
    read_at_s, values, updated_s = reads(0.1, 0.1, 0.1, seed=3)
    changes = np.diff(values)
    assert (changes == 0).any()
    assert changes.max() > 1.5 * POWER_W * 0.1
    times_s, error_s = update_times(read_at_s, values, 0.1, [read_at_s[30]], is_counter=True)
    phase_s = times_s[30] % 0.1
    assert min(phase_s, 0.1 - phase_s) <= error_s < 0.01
    # Each value belongs to its update, or to the next one where it was read within the error of that.
    assert np.mean(np.abs(np.subtract(times_s, updated_s)) < error_s) > 0.4


def test_step_of_the_load_does_not_shift_updates() -> None:
    for seed in range(20):
        read_at_s, values, updated_s = reads(0.1, Sensor.period_s, 0.005 * seed, seed)
        stepped = [value + 3 * max(0.0, value - values[30]) for value in values]
        times_s, error_s = update_times(read_at_s, stepped, 0.1, [read_at_s[30]], is_counter=True)
        assert np.median(np.abs(np.subtract(times_s, updated_s))[25:35]) <= error_s < 0.01


def test_updates_of_power_are_known_from_where_it_changes() -> None:
    for seed in range(20):
        phase_s = 0.005 * seed
        read_at_s, _, updated_s = reads(0.1, Sensor.period_s, phase_s, seed)
        values = [POWER_W + (round(time_s / 0.1) * 37 % 11) for time_s in np.subtract(updated_s, phase_s)]
        times_s, error_s = update_times(read_at_s, values, 0.1, [read_at_s[30]], is_counter=False)
        assert np.median(np.abs(np.subtract(times_s, updated_s))[25:35]) <= error_s < 0.02


def test_constant_power_does_not_show_its_updates() -> None:
    read_at_s, values, _ = reads(0.1, Sensor.period_s, 0.03, seed=1)
    assert update_times(read_at_s, [POWER_W] * len(values), 0.1, [read_at_s[30]], is_counter=False)[1] == 0.05


@pytest.mark.parametrize(("period_s", "length_s"), [(1.0, 2.5), (1.0, 20.0), (5.0, 8.0), (5.0, 60.0), (0.5, 3.0)])
@pytest.mark.parametrize("idle_w", [80.0, 20.0])
def test_energy_of_a_counter_that_moves_seldom_is_covered(period_s: float, length_s: float, idle_w: float) -> None:
    """As counters that hypervisors emulate (QEMU: 1 s; scaphandre: 5 s). The load is 80 W in the window alone."""
    begin_s, covered = 12.0, 0
    window_s = (begin_s, begin_s + length_s)
    for phase in range(40):

        def shows(t_s: float, phase_s: float = phase / 40 * period_s) -> float:
            updated_s = math.floor((t_s - phase_s) / period_s) * period_s + phase_s
            busy_s = min(max(updated_s - window_s[0], 0.0), length_s)
            return 1000.0 + idle_w * updated_s + (80.0 - idle_w) * busy_s

        trace = counter_trace(shows, window_s[1] + 12.0)
        reading = compute_reading(trace, trace.channels[0], window_s)
        assert reading.tick_s == pytest.approx(period_s, abs=0.1)
        assert "below resolution" in (reading.reason or "") or length_s >= 48 * period_s
        assert reading.low_j is not None
        assert reading.high_j is not None
        covered += reading.low_j <= 80.0 * length_s <= reading.high_j
    assert covered >= 38


def test_counter_that_moved_once_has_no_period_and_no_value() -> None:
    trace = counter_trace(lambda t: 400.0 if t >= 5 else 0.0, 8.0)
    reading = compute_reading(trace, trace.channels[0], (1.0, 7.0))
    assert (reading.energy_j, reading.tick_s) == (None, None)
    assert "its update period is not known" in (reading.reason or "")


def test_period_that_was_measured_at_another_time_gives_way_to_what_the_trace_shows() -> None:
    trace = counter_trace(lambda t: 80.0 * math.floor(t), 12.0, tick_s=0.001)
    assert trace.channels[0].tick_s == pytest.approx(1.0, abs=0.1)


def test_channels_of_one_sensor_have_periods_of_their_own() -> None:
    slow = counter_trace(lambda t: 80.0 * math.floor(t), 12.0).channels[0]
    quick = counter_trace(lambda t: 80.0 * t, 12.0).channels[0]
    assert (slow.tick_s is None, quick.tick_s) == (False, None)
