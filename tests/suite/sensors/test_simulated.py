"""The error of energy estimates, on simulated sensors whose true energy is known."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from busy_machine import wait_for_reads

from joulemark.suite.energy.plausibility import plausible
from joulemark.suite.energy.window_energy import UPDATES_NEEDED, compute_reading
from joulemark.suite.errors import UsageError
from joulemark.suite.records import EnergyReading, Trace
from joulemark.suite.sensors import simulated, simulated_loads, trace_file
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.sensors.simulated import SENSOR_SPECS, SensorSpec
from joulemark.suite.sensors.simulated_loads import PowerProfile

SAMPLE_PERIOD_S = 0.1
LOADS = {
    "constant": simulated_loads.constant(),
    "ramp": simulated_loads.ramp(),
    "telegraph": simulated_loads.telegraph(0.005, 0.5, length_s=600.0),
}

Trial = tuple[EnergyReading, float]
"""A reading and the true energy, joules."""


def _trials(
    spec: SensorSpec,
    load: PowerProfile,
    count: int,
    seed: int,
    window_s: tuple[float, float] = (5.0, 8.0),
    step_s: float | None = None,
    period_error: float = 0.0,
) -> list[Trial]:
    """Return `count` readings with their true energy: random windows, each with a random phase of the sensor.

    The estimate takes the update period for longer than it is by the share `period_error`.
    """
    rng = np.random.default_rng(seed)
    times = np.arange(0.0, window_s[1] + 5.0, SAMPLE_PERIOD_S)
    tick_s = spec.update_period_s * (1 + period_error)
    channel = simulated.channels(spec)[0].model_copy(update={"tick_s": tick_s})
    trials = []
    for trial in range(count):
        offset_s, phase_s = rng.uniform(0.0, 100.0), rng.uniform(0.0, spec.update_period_s)
        begin_s = rng.uniform(1.5, 2.5)
        window = begin_s, begin_s + rng.uniform(*window_s)
        power_w, counter_j = simulated.simulate(spec, load, times + offset_s, phase_s, trial)
        values = counter_j if channel.unit == "J" else power_w
        filled = channel.model_copy(update={"values": tuple(values.tolist())})
        trace = Trace(sensor="simulated", simulated=True, t_s=tuple(times.tolist()), channels=(filled,))
        energy = compute_reading(trace, filled, window, load_period_s=step_s)
        true_j = load.mean_w((window[0] + offset_s, window[1] + offset_s)) * (window[1] - window[0])
        trials.append((energy, true_j))
    return trials


def _covered(trials: list[Trial]) -> int:
    """Return how many intervals contain the true energy."""
    return sum(energy.low_j <= true_j <= energy.high_j for energy, true_j in trials)  # type: ignore[operator]


def _squares(spec: SensorSpec) -> dict[str, tuple[PowerProfile, float]]:
    periods = {f"square {ratio}": ratio * spec.update_period_s for ratio in (0.9, 0.95, 1.0, 1.05, 1.1)}
    return {name: (simulated_loads.square(period_s), period_s) for name, period_s in periods.items()}


@pytest.mark.parametrize("name", ["rapl", "full", "hopper-average"])
def test_full_coverage_is_within_two_percent_beyond_the_gain(name: str) -> None:
    spec = SENSOR_SPECS[name]
    for shape, load in (LOADS | {shape: load for shape, (load, _) in _squares(spec).items()}).items():
        trials = _trials(spec, load, count=60, seed=1)
        for energy, true_j in trials:
            assert energy.energy_j is not None
            assert abs(energy.energy_j / spec.true_gain / true_j - 1) < 0.02, shape
            assert not energy.in_step
        assert _covered(trials) == 60, shape


@pytest.mark.parametrize("name", ["hopper-instant", "a100"])
def test_interval_of_a_part_time_sensor_covers_the_truth(name: str) -> None:
    for shape, load in LOADS.items():
        assert _covered(_trials(SENSOR_SPECS[name], load, count=1000, seed=2)) >= 950, shape


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hopper-instant", "a100"])
def test_load_near_the_period_of_a_part_time_sensor_is_flagged_and_covered(name: str) -> None:
    spec = SENSOR_SPECS[name]
    for shape, (load, period_s) in _squares(spec).items():
        trials = _trials(spec, load, count=200, seed=3, step_s=period_s)
        assert all(energy.in_step for energy, _ in trials), shape
        assert _covered(trials) >= 190, shape


ALIASED = {
    "30 % of two periods": simulated_loads.square(0.2, 0.3, 400.0, 80.0),
    "10 % of two periods": simulated_loads.square(0.2, 0.1, 400.0, 80.0),
    "50 % of three periods": simulated_loads.square(0.3, 0.5, 400.0, 80.0),
    "30 % of two thirds": simulated_loads.square(0.2 / 3, 0.3, 400.0, 80.0),
    "30 % of one period": simulated_loads.square(0.1, 0.3, 400.0, 80.0),
    "10 % of a half": simulated_loads.square(0.05, 0.1, 400.0, 80.0),
    "30 % of a fifth": simulated_loads.square(0.02, 0.3, 400.0, 80.0),
}
"""Steps that alias with a sensor of 100 ms and draw power for a part of their time."""


@pytest.mark.parametrize(("name", "period_error"), [("hopper-instant", 0.0), ("a100", 0.004), ("a100", -0.004)])
def test_steps_that_alias_with_a_part_time_sensor_are_flagged_and_covered(name: str, period_error: float) -> None:
    """The true update period may differ from the measured one by its measurement error."""
    spec = replace(SENSOR_SPECS[name], true_gain=1.0, error_range=(1.0, 1.0))
    for shape, load in ALIASED.items():
        step_s = load.t_s[-1]
        trials = _trials(spec, load, 100, seed=8, window_s=(5.0, 5.0), step_s=step_s, period_error=period_error)
        assert all(energy.in_step for energy, _ in trials), shape
        assert _covered(trials) >= 95, shape


@pytest.mark.parametrize("step_s", [0.011, 0.0123, 0.037, 0.137])
def test_steps_that_sweep_through_a_part_time_sensors_period_are_not_flagged(step_s: float) -> None:
    spec = replace(SENSOR_SPECS["a100"], true_gain=1.0, error_range=(1.0, 1.0))
    trials = _trials(spec, simulated_loads.square(step_s), count=50, seed=9, window_s=(5.0, 5.0), step_s=step_s)
    for energy, true_j in trials:
        assert not energy.in_step
        assert energy.low_j is not None
        assert energy.high_j is not None
        assert 0.83 * true_j < energy.low_j <= true_j <= energy.high_j < 1.17 * true_j


def test_interval_is_no_wider_than_necessary() -> None:
    """Beyond the gain: with constant power half an update at each border, a fifth of the value at worst."""
    spec = SENSOR_SPECS["a100"]
    for energy, true_j in _trials(spec, LOADS["constant"], count=20, seed=4):
        assert energy.high_j is not None
        assert energy.high_j / true_j < spec.error_range[1] * spec.true_gain * 1.025


def test_wrong_gain_is_outside_the_interval() -> None:
    """The coverage above can fail: with a larger error than stated, the truth is outside the interval."""
    spec = SensorSpec("wrong", 0.1, 0.1, counter=True, power=False, true_gain=0.7, error_range=(0.95, 1.05))
    assert _covered(_trials(spec, LOADS["constant"], count=20, seed=5)) == 0


@pytest.mark.parametrize("name", [name for name, spec in SENSOR_SPECS.items() if spec.update_period_s >= 0.1])
def test_window_below_resolution_is_always_flagged(name: str) -> None:
    spec = SENSOR_SPECS[name]
    short = (0.2, spec.update_period_s * UPDATES_NEEDED * 0.999)
    for load in LOADS.values():
        for energy, _ in _trials(spec, load, count=50, seed=6, window_s=short):
            assert "below resolution" in (energy.reason or "")


def test_noise_averages_out_and_resets_are_undone() -> None:
    spec = SensorSpec("noisy", 0.1, 0.1, counter=True, power=True, noise_w=30.0, resets_s=(4.0,))
    times = np.arange(0.0, 12.0, SAMPLE_PERIOD_S)
    power_w, counter_j = simulated.simulate(spec, simulated_loads.constant(), times, 0.03, 7)
    counter = plausible(simulated.channels(spec)[0], list(times), list(counter_j))
    values = counter.values
    assert len(counter.resets_s) == 1
    assert values[-1] is not None
    assert values[-1] == pytest.approx(simulated_loads.HIGH_W * 11.9, rel=0.02)
    assert np.mean(power_w) == pytest.approx(simulated_loads.HIGH_W, rel=0.05)
    assert np.std(power_w) == pytest.approx(30.0, rel=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("sensor", ["simulated:a100/telegraph", "simulated:rapl", "simulated:hopper-average/ramp"])
def test_simulated_sensor_in_the_sampler_is_labelled(tmp_path: Path, sensor: str) -> None:
    origin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", origin_s, sensors=[sensor]) as sampler:
        ready_s = time.monotonic() - origin_s
        wait_for_reads(tmp_path / "t", 2, ready_s + 1.2)
        assert sampler.latest_power_w() is not None
        assert sampler.latest_power_w(measured=True) is None
    assert sampler.sensors == ("simulated",)
    (trace,) = trace_file.load(tmp_path / "t")
    assert trace.simulated
    energy = compute_reading(trace, trace.channels[0], (ready_s + 0.3, ready_s + 1.2))
    assert energy.energy_j is not None
    assert 0.8 * simulated_loads.LOW_W * 0.9 < energy.energy_j < 1.2 * simulated_loads.HIGH_W * 0.9


@pytest.mark.parametrize(("argument", "available"), [("a10", "a100"), ("a100/telegramm", "telegraph")])
def test_unknown_sensor_or_load_is_refused(argument: str, available: str) -> None:
    with pytest.raises(UsageError, match=available):
        simulated.check(argument)
