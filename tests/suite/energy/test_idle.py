"""Idle power: energy net of it, and its share by component."""

from __future__ import annotations

import pytest
from run_files import case, energy, run_file, trial

from joulemark.suite.energy.attribution import case_energy
from joulemark.suite.energy.idle import component_energy, mean_idle_power
from joulemark.suite.records import EnergyReading, Idle, Kind, Quantity, Trial
from joulemark.suite.results.summary import case_summary


def net_energy(measured: Trial, *idle: Idle) -> Quantity:
    """Return the net energy per item of a case with this one trial."""
    summary = case_summary(case(trials=[measured]), mean_idle_power(idle), run_file().emissions)
    assert summary is not None
    return summary.net_energy_per_item_j


def idle_at(power_w: float, component: str = "package", length_s: float = 5.0) -> Idle:
    return idle(energy(power_w * length_s, component), length_s=length_s)


def idle(*readings: EnergyReading, length_s: float = 2.0) -> Idle:
    return Idle(when="before", window_s=(0.0, length_s), energy=readings)


def with_limits(reading: EnergyReading, low: float, high: float) -> EnergyReading:
    """Return `reading` under a sensor whose gain lies between these factors, and that has no other error."""
    limits = {"low_j": reading.energy_j * low, "high_j": reading.energy_j * high, "gain": (low, high)}
    return reading.model_copy(update=limits)


def counter(power_w: float, length_s: float, tick_s: float, gain: tuple[float, float]) -> EnergyReading:
    """Return the reading of a counter under constant power: its gain, and half an update period at each border."""
    energy_j, error_j = power_w * length_s, power_w * tick_s
    return energy(energy_j).model_copy(
        update={"low_j": (energy_j - error_j) * gain[0], "high_j": (energy_j + error_j) * gain[1], "gain": gain}
    )


def test_net_is_gross_less_idle() -> None:
    # 100 J in 2 s for 200 items, idle 20 W.
    assert net_energy(trial(), idle_at(20.0)).value == pytest.approx(0.3)


def test_net_needs_idle_power_of_the_same_component() -> None:
    for windows in ((), (idle_at(20.0, "dram"),)):
        net = net_energy(trial(), *windows)
        assert (net.value, net.kind) == (None, "unavailable")
        assert "package" in net.reason


def test_idle_before_and_after_are_averaged_by_time() -> None:
    after = Idle(when="after", window_s=(50.0, 65.0), energy=(energy(40.0 * 15),))
    # (20 W x 5 s + 40 W x 15 s) / 20 s = 35 W; 100 J - 35 W x 2 s = 30 J in 200 items.
    assert net_energy(trial(), idle_at(20.0), after).value == pytest.approx(0.15)


@pytest.mark.parametrize("power_w", [150.0, 130.0])
def test_the_sensor_range_is_that_of_a_difference(power_w: float) -> None:
    """A gain error scales net energy; half an update period at each border adds as many joules to it as to gross."""
    gain, length_s, tick_s, idle_w = (0.948, 1.058), 5.0, 0.1, 120.0
    measured = trial(length_s=length_s, readings=[counter(power_w, length_s, tick_s, gain)])
    net = net_energy(measured, idle(counter(idle_w, length_s, tick_s, gain), length_s=length_s))
    net_w, error_w = power_w - idle_w, (power_w + idle_w) * tick_s / length_s
    assert net.value == pytest.approx(net_w * length_s / measured.items)
    expected = (max(0.0, net_w - error_w) * gain[0] / net_w, (net_w + error_w) * gain[1] / net_w)
    assert net.ranges.sensor == pytest.approx(expected)


def test_the_gain_of_a_component_scales_its_own_net_energy() -> None:
    """No errors but gains: 90 J of package, 80 of them idle, and 10 J of dram, none of them idle."""

    def readings(package_j: float, dram_j: float) -> tuple[EnergyReading, ...]:
        return with_limits(energy(package_j), 0.98, 1.02), with_limits(energy(dram_j, "dram"), 0.8, 1.2)

    net = net_energy(trial(readings=readings(90.0, 10.0)), idle(*readings(80.0, 0.0)))
    assert net.ranges.sensor == pytest.approx(((9.8 + 8) / 20, (10.2 + 12) / 20))


def test_a_component_without_net_energy_still_adds_its_error() -> None:
    """Its gross and its idle reading may each be off by half an update period."""
    steady, busy = counter(100.0, 2.0, 0.02, (1.0, 1.0)), energy(50.0, "gpu")
    net = net_energy(trial(readings=[steady, busy]), idle(steady, energy(20.0, "gpu", gain=0.0)))
    assert net.ranges.sensor == pytest.approx(((30 * 0.98 - 4) / 30, (30 * 1.02 + 4) / 30))


@pytest.mark.parametrize("kinds", [("model", "model"), ("counter", "model"), ("model", "counter")])
def test_the_error_of_a_model_does_not_cancel(kinds: tuple[Kind, Kind]) -> None:
    """It changes with the load: 10 J under load may be 7, and 8 J idle may be 39."""
    gross, at_idle = (
        with_limits(energy(energy_j, kind=kind), 0.7, 4.88) for energy_j, kind in zip((10.0, 16.0), kinds, strict=True)
    )
    net = net_energy(trial(readings=[gross]), idle(at_idle, length_s=4.0))
    assert net.value == pytest.approx(2 / 200)
    assert net.ranges.sensor == (0.0, pytest.approx((48.8 - 5.6) / 2))


def test_the_error_of_a_model_adds_to_the_net_energy_of_other_components() -> None:
    """A model's 10 to 20 J, 10 to 20 of them idle, beside a GPU's 50 J net without error."""
    model = energy(15.0, kind="model", gain=1 / 3)
    net = net_energy(
        trial(readings=[model, energy(100.0, "gpu", gain=0.0)]), idle(model, energy(50.0, "gpu", gain=0.0))
    )
    assert net.ranges.sensor == pytest.approx((40 / 50, 60 / 50))


def test_net_has_no_range_if_a_sensor_states_no_limits() -> None:
    without_limits = energy(40.0).model_copy(update={"low_j": None, "high_j": None})
    assert net_energy(trial(), idle(without_limits)).ranges.sensor is None


# Gross is 50 W. A model at its limit gives the same power idle and under load, but for the rounding of a sum.
@pytest.mark.parametrize("idle_w", [60.0, 50.0 * (1 - 1e-12)])
def test_there_is_no_net_energy_if_gross_is_not_above_idle(idle_w: float) -> None:
    net = net_energy(trial(), idle_at(idle_w))
    assert net.value is None
    assert f"{idle_w:.3g} W" in net.reason
    assert "1 of 1 trials" in net.reason


def test_net_is_as_weak_as_its_idle_power() -> None:
    assert net_energy(trial(), idle(energy(40.0, kind="model"))).kind == "model"
    assert net_energy(trial(), idle(energy(40.0))).kind == "counter"


def test_idle_energy_of_a_component_is_at_most_its_energy() -> None:
    # In 2 s each: 90 J of package, idle 60 J; 10 J of dram, idle 20 J; 100 J of a GPU whose idle power is not known.
    readings = [energy(90.0), energy(10.0, "dram"), energy(100.0, "gpu", kind="integrated")]
    measured = case_energy([trial(readings=readings), trial(2, readings=readings)])
    shares = component_energy(measured, [idle(energy(60.0), energy(20.0, "dram"))])
    assert [(share.component, share.kind, share.energy_j, share.idle_j) for share in shares] == [
        ("package", "counter", 180.0, 120.0),
        ("dram", "counter", 20.0, 20.0),
        ("gpu", "integrated", 200.0, None),
    ]
