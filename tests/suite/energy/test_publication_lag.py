"""Publication lags, and the energy of short windows, on simulated sensors of known energy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from joulemark.suite.energy.publication_lag import publication_lag, with_publication_lags
from joulemark.suite.energy.window_energy import compute_reading
from joulemark.suite.records import EnergyReading, PublicationLag, Trace
from joulemark.suite.sensors import simulated
from joulemark.suite.sensors.base import Sensor
from joulemark.suite.sensors.simulated import SensorSpec
from joulemark.suite.sensors.simulated_loads import PowerProfile

IDLE_W, LOAD_W = 120.0, 690.0
STEP_W = LOAD_W - IDLE_W
LENGTHS_S = (0.1, 0.5, 2.0, 10.0)
PAUSE_S = 4.0
PHASES = 100
LAG_S = 0.1

COUNTER_20 = SensorSpec("counter of 20 ms", 0.02, 0.02, counter=True, power=False, publication_lag_s=LAG_S)
COUNTER_100 = SensorSpec("counter of 100 ms", 0.1, 0.1, counter=True, power=False, publication_lag_s=LAG_S)
AVERAGE = SensorSpec("average over 1 s", 0.1, 1.0, False, True, noise_w=0.3, publication_lag_s=LAG_S)

Window = tuple[float, float]


def loads(rng: np.random.Generator) -> tuple[PowerProfile, list[Window]]:
    """Return a load of each length, with idle time around it, and when each begins and ends, seconds."""
    windows, end_s = [], 0.0
    for length_s in LENGTHS_S:
        begin_s = end_s + PAUSE_S + rng.uniform(0.0, 1.0)
        end_s = begin_s + length_s
        windows.append((begin_s, end_s))
    borders = [0.0, *(border for window in windows for border in window), end_s + PAUSE_S]
    return PowerProfile("loads", tuple(borders), (IDLE_W, *(LOAD_W, IDLE_W) * len(windows))), windows


def sampled(spec: SensorSpec, load: PowerProfile, rng: np.random.Generator, read_s: float) -> Trace:
    """Return a trace of the load, at a random phase of the sensor and of the reads."""
    times_s = np.arange(rng.uniform(0.0, read_s), load.t_s[-1], read_s)
    times_s = times_s + rng.uniform(0.0, 0.0005, times_s.shape)
    power_w, counter_j = simulated.simulate(spec, load, times_s, rng.uniform(0.0, spec.update_period_s))
    values = counter_j if spec.counter else power_w
    channel = simulated.channels(spec)[0].model_copy(update={"values": tuple(values.tolist())})
    return Trace(sensor="simulated", simulated=True, t_s=tuple(times_s.tolist()), channels=(channel,))


def read(trace: Trace, window_s: Window) -> EnergyReading:
    return compute_reading(trace, trace.channels[0], window_s)


def true_j(load: PowerProfile, window_s: Window) -> float:
    return load.mean_w(window_s) * (window_s[1] - window_s[0])


@pytest.mark.parametrize("read_s", [Sensor.period_s, 0.1])
@pytest.mark.parametrize("spec", [COUNTER_20, COUNTER_100, AVERAGE], ids=lambda spec: spec.name)
def test_bias_and_spread_at_a_border(spec: SensorSpec, read_s: float) -> None:
    """Windows that begin and end with their load, and the halves of one, which have one such border."""
    errors_s: dict[tuple[float, int], list[float]] = {}
    covered: dict[tuple[float, int], int] = {}
    for phase in range(PHASES):
        rng = np.random.default_rng([1, phase])
        load, windows = loads(rng)
        (trace,) = with_publication_lags([sampled(spec, load, rng, read_s)], [end for _, end in windows], "test")
        middle_s = sum(windows[2]) / 2
        cases = {(length_s, 2): window for length_s, window in zip(LENGTHS_S, windows, strict=True)}
        cases |= {(-1.0, 1): (windows[2][0], middle_s), (1.0, 1): (middle_s, windows[2][1])}
        for case, window_s in cases.items():
            reading = read(trace, window_s)
            assert reading.energy_j is not None
            assert reading.low_j is not None
            assert reading.high_j is not None
            true = true_j(load, window_s)
            errors_s.setdefault(case, []).append((reading.energy_j - true) / STEP_W)
            covered[case] = covered.get(case, 0) + (reading.low_j <= true <= reading.high_j)
    for (length_s, borders), errors in errors_s.items():
        assert abs(np.mean(errors)) <= borders * 0.02, length_s
        assert np.std(errors) <= 0.05, length_s
        assert np.quantile(np.abs(errors - np.mean(errors)), 0.95) <= borders * 0.05, length_s
        assert covered[length_s, borders] >= 0.95 * PHASES, length_s


def test_without_a_lag_energy_is_missing_at_both_borders_and_the_interval_says_so() -> None:
    """What the test above would find: an update period times the step, in windows of all lengths alike."""
    for phase in range(20):
        rng = np.random.default_rng([2, phase])
        load, windows = loads(rng)
        trace = sampled(COUNTER_100, load, rng, Sensor.period_s)
        for window_s in windows[1:]:
            reading = read(trace, window_s)
            true = true_j(load, window_s)
            assert reading.energy_j is not None
            assert reading.high_j is not None
            assert 0.04 * STEP_W < true - reading.energy_j < 0.16 * STEP_W
            assert reading.high_j >= true
            assert reading.repeated_error_j >= 0.1 * STEP_W
            assert reading.publication_lag_s is None


def found(
    spec: SensorSpec, falls: int, seed: int, read_s: float = Sensor.period_s, mark_error_s: float = 0.0
) -> PublicationLag | None:
    """Return the lag that loads of 3 s show, whose ends are known up to an error."""
    rng = np.random.default_rng([3, seed])
    begins_s = [4.0 + 9.0 * fall + rng.uniform(0.0, 1.0) for fall in range(falls)]
    ends_s = [begin_s + 3.0 for begin_s in begins_s]
    borders = [0.0, *(border for pair in zip(begins_s, ends_s, strict=True) for border in pair), ends_s[-1] + 6.0]
    load = PowerProfile("falls", tuple(borders), (IDLE_W, *(LOAD_W, IDLE_W) * falls))
    trace = sampled(spec, load, rng, read_s)
    marks_s = [end_s + rng.uniform(-mark_error_s, mark_error_s) for end_s in ends_s]
    return publication_lag(trace, trace.channels[0], marks_s, "test")


@pytest.mark.parametrize("spec", [COUNTER_20, COUNTER_100, AVERAGE], ids=lambda spec: spec.name)
@pytest.mark.parametrize("lag_s", [0.0, 0.03, 0.2])
@pytest.mark.parametrize("read_s", [Sensor.period_s, 0.64])
def test_lag_is_known_to_within_its_error(spec: SensorSpec, lag_s: float, read_s: float) -> None:
    if spec is AVERAGE and read_s > 0.5:
        return  # reads of one update in six do not show how an average moves
    lags = [found(replace(spec, publication_lag_s=lag_s), falls=6, seed=seed, read_s=read_s) for seed in range(20)]
    known = [lag for lag in lags if lag is not None]
    assert len(known) >= 19
    assert sum(abs(lag.lag_s - lag_s) <= lag.error_s for lag in known) >= 18
    assert {lag.steps for lag in known} <= {4, 5, 6}
    assert {lag.method for lag in known} == {"test"}


def test_lag_of_one_fall_is_uncertain_by_half_an_update() -> None:
    lag = found(COUNTER_100, falls=1, seed=1)
    assert lag is not None
    assert (lag.steps, lag.error_s) == (1, 0.05)
    assert lag.lag_s == pytest.approx(LAG_S, abs=0.01)


NO_FALLS = {
    "constant": PowerProfile("constant", (0.0, 1.0), (LOAD_W,)),
    "load goes on for a second": PowerProfile("late", (0.0, 11.0, 21.0), (LOAD_W, IDLE_W)),
    "load ended a second before": PowerProfile("early", (0.0, 9.0, 21.0), (LOAD_W, IDLE_W)),
    "load goes up": PowerProfile("rise", (0.0, 10.0, 21.0), (IDLE_W, LOAD_W)),
    "load comes again at once": PowerProfile("pause", (0.0, 10.0, 10.4, 21.0), (LOAD_W, IDLE_W, LOAD_W)),
    "a small step": PowerProfile("small", (0.0, 10.0, 21.0), (LOAD_W, 0.9 * LOAD_W)),
}


@pytest.mark.parametrize("load", NO_FALLS.values(), ids=NO_FALLS)
def test_load_that_does_not_fall_then_shows_no_lag(load: PowerProfile) -> None:
    for seed in range(20):
        trace = sampled(COUNTER_100, load, np.random.default_rng(seed), Sensor.period_s)
        assert publication_lag(trace, trace.channels[0], [10.0], "test") is None


def test_marks_that_are_not_the_ends_of_loads_show_no_lag() -> None:
    assert not any(found(COUNTER_100, falls=10, seed=seed, mark_error_s=0.12) for seed in range(20))


def test_lag_is_found_once_and_only_where_it_matters() -> None:
    rng = np.random.default_rng(1)
    load, windows = loads(rng)
    ends_s = [end for _, end in windows]
    trace = sampled(COUNTER_100, load, rng, Sensor.period_s)
    (first,) = with_publication_lags([trace], ends_s, "first")
    (again,) = with_publication_lags([first], ends_s[:1], "again")
    lag = again.channels[0].publication_lag
    assert lag is not None
    assert lag.method == "first"
    assert again == first
    assert read(first, windows[2]).publication_lag_s == lag.lag_s
    for change in ({"tick_s": None}, {"tick_s": 0.001}, {"kind": "model", "unit": "W"}):
        channel = trace.channels[0].model_copy(update=change)
        assert publication_lag(trace, channel, ends_s, "test") is None
