"""The error of several trials together: in closed form, and against simulated sensors of known energy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from joulemark.suite.energy.attribution import case_energy, summed_energy
from joulemark.suite.energy.window_energy import compute_reading
from joulemark.suite.records import EnergyReading, Trace, Trial
from joulemark.suite.sensors import simulated, simulated_loads
from joulemark.suite.sensors.base import Sensor
from joulemark.suite.sensors.simulated_loads import PowerProfile

GAIN = (0.95, 1.05)
CASES = 200
LOADS: dict[str, tuple[PowerProfile, float | None]] = {
    "telegraph": (simulated_loads.telegraph(0.005, 0.5, length_s=600.0), None),
    "ramp": (simulated_loads.ramp(), None),
    "steps of one update period": (simulated_loads.square(0.1), 0.1),
}


def reading(energy_j: float, below_j: float, above_j: float, **more: Any) -> EnergyReading:
    low_j, high_j = (energy_j - below_j) * GAIN[0], (energy_j + above_j) * GAIN[1]
    fields = {"component": "gpu", "scope": "0", "kind": "counter", "attributed": True, "energy_j": energy_j}
    return EnergyReading(**{**fields, "low_j": low_j, "high_j": high_j, "gain": GAIN, **more})


def trial(number: int, *readings: EnergyReading) -> Trial:
    return Trial(round=number, status="ok", window_s=(0.0, 1.0), steps=1, items=1, energy=readings)


def test_sampling_adds_in_quadrature_and_the_gain_stays() -> None:
    both = summed_energy([reading(100.0, 3.0, 6.0), reading(200.0, 4.0, 8.0)])
    assert both is not None
    assert (both.energy_j, both.below_j, both.above_j) == (300.0, pytest.approx(5.0), pytest.approx(10.0))
    assert both.limits_j == (pytest.approx(295 * 0.95), pytest.approx(310 * 1.05))


def test_what_repeats_in_every_trial_just_adds() -> None:
    both = summed_energy(
        [reading(100.0, 7.0, 7.0, repeated_error_j=4.0), reading(100.0, 8.0, 8.0, repeated_error_j=4.0)]
    )
    assert both is not None
    assert both.below_j == pytest.approx(4 + 4 + 5)


def test_one_trial_has_the_range_of_its_reading() -> None:
    one = reading(100.0, 12.0, 15.0, repeated_error_j=5.0)
    energy = case_energy([trial(1, one)])
    assert one.low_j is not None
    assert one.high_j is not None
    assert energy.sensor_range == (pytest.approx(one.low_j / 100), pytest.approx(one.high_j / 100))
    assert energy.gain_range == pytest.approx(GAIN)


@pytest.mark.parametrize("n", [4, 16])
def test_range_narrows_with_the_root_of_n_down_to_the_gain(n: int) -> None:
    energy = case_energy([trial(number, reading(100.0, 20.0, 20.0)) for number in range(n)])
    assert energy.gain_range == pytest.approx(GAIN)
    share = 0.2 / n**0.5
    assert energy.sensor_range == pytest.approx(((1 - share) * GAIN[0], (1 + share) * GAIN[1]))


def test_components_keep_their_own_gain_and_one_without_limits_leaves_none() -> None:
    other = reading(50.0, 0.0, 0.0, component="package").model_copy(
        update={"gain": (0.5, 2.0), "low_j": 25.0, "high_j": 100.0}
    )
    energy = case_energy([trial(1, reading(100.0, 0.0, 0.0), other)])
    assert energy.sensor_range == pytest.approx(((95 + 25) / 150, (105 + 100) / 150))
    unlimited = other.model_copy(update={"low_j": None, "high_j": None})
    assert case_energy([trial(1, reading(100.0, 0.0, 0.0), unlimited)]).sensor_range is None
    assert summed_energy([unlimited]) is None


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 4, 16])
@pytest.mark.parametrize("name", LOADS)
def test_range_of_trials_at_random_phases_covers_the_truth(name: str, n: int) -> None:
    """A sensor that observes a quarter of the time. Every case has its own load; every trial its own phase."""
    load, step_s = LOADS[name]
    spec = simulated.SENSOR_SPECS["a100"]
    times_s = np.arange(0.0, 10.0, Sensor.period_s)
    covered, widths = 0, []
    for number in range(CASES):
        rng = np.random.default_rng([5, n, number])
        trials, true_j = [], 0.0
        for round_number in range(n):
            offset_s, begin_s = rng.uniform(0.0, 100.0), rng.uniform(2.0, 2.5)
            window_s = begin_s, begin_s + 5.0
            _, counter_j = simulated.simulate(spec, load, times_s + offset_s, rng.uniform(0.0, spec.update_period_s))
            channel = simulated.channels(spec)[0].model_copy(update={"values": tuple(counter_j.tolist())})
            trace = Trace(sensor="simulated", simulated=True, t_s=tuple(times_s.tolist()), channels=(channel,))
            trials.append(trial(round_number, compute_reading(trace, channel, window_s, load_period_s=step_s)))
            true_j += load.mean_w((window_s[0] + offset_s, window_s[1] + offset_s)) * 5.0
        energy = case_energy(trials)
        assert energy.sensor_range is not None
        assert energy.gain_range == pytest.approx(spec.error_range)
        measured_j = sum(one.energy_j for one in energy.trials)
        covered += energy.sensor_range[0] <= true_j / measured_j <= energy.sensor_range[1]
        widths.append(energy.sensor_range[1] - energy.sensor_range[0])
    assert covered >= 0.95 * CASES
    assert np.median(widths) >= spec.error_range[1] - spec.error_range[0]
