"""The summary of a case: from trials with known numbers to what must follow from them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_files import CH, case, energy, failed_trial, run_file, trial

from joulemark.suite.energy.idle import mean_idle_power
from joulemark.suite.notices import Code
from joulemark.suite.records import Emissions, EnergyReading, Idle, Intensity, Notice, Pue, RunFile, Summary, Trial
from joulemark.suite.results.quantities import ONE_TRIAL
from joulemark.suite.results.summary import case_summary, recompute

PLAIN = Emissions(intensity=CH, pue=Pue(value=1.0, source="one's own machine"))


IDLE_20_W = Idle(when="before", window_s=(0.0, 5.0), energy=(energy(100.0),))


def summarise(*trials: Trial, idle: Idle = IDLE_20_W, emissions: Emissions = PLAIN) -> Summary:
    summary = case_summary(case(trials=trials), mean_idle_power((idle,)), emissions)
    assert summary is not None
    return summary


def test_one_trial_by_hand() -> None:
    # 200 items in 2 s for 100 J, idle 20 W.
    summary = summarise(trial(rate=100.0, length_s=2.0))
    assert summary.throughput.value == 100.0
    assert summary.step_time_s.value == 0.01
    assert summary.power_w.value == 50.0
    assert summary.energy_per_item_j.value == 0.5
    assert summary.net_energy_per_item_j.value == pytest.approx(0.3)
    assert summary.facility_energy_per_item_j.value == 0.5
    # 0.5 J x 1000 / 3.6e6 x 39.22 g
    assert summary.emissions_g_per_1000_items.value == pytest.approx(500 / 3.6e6 * 39.22)
    for quantity in (summary.throughput, summary.energy_per_item_j, summary.emissions_g_per_1000_items):
        assert (quantity.low, quantity.high, quantity.n, quantity.reason) == (None, None, 1, ONE_TRIAL)


def test_three_trials_have_a_geometric_mean_within_its_interval() -> None:
    summary = summarise(*(trial(i, rate, start_s=10.0 * i) for i, rate in enumerate((95.0, 100.0, 105.0), 1)))
    assert summary.throughput.value == pytest.approx((95 * 100 * 105) ** (1 / 3))
    for quantity in (summary.throughput, summary.energy_per_item_j, summary.emissions_g_per_1000_items):
        assert quantity.low is not None
        assert quantity.high is not None
        assert quantity.value is not None
        assert quantity.low < quantity.value < quantity.high
        assert quantity.n == 3
        assert quantity.reason is None


def test_pue_enters_once_and_intensity_after_it() -> None:
    emissions = Emissions(
        intensity=CH.model_copy(update={"low": 30.0, "high": 45.0}), pue=Pue(value=1.5, source="x", low=1.2, high=1.8)
    )
    summary = summarise(trial(), emissions=emissions)
    assert summary.energy_per_item_j.value == 0.5
    assert summary.facility_energy_per_item_j.value == pytest.approx(0.75)
    assert summary.emissions_g_per_1000_items.value == pytest.approx(750 / 3.6e6 * 39.22)
    assert summary.energy_per_item_j.ranges.pue is None
    assert summary.facility_energy_per_item_j.ranges.pue == pytest.approx((0.8, 1.2))
    assert summary.facility_energy_per_item_j.ranges.intensity is None
    assert summary.emissions_g_per_1000_items.ranges.pue == pytest.approx((0.8, 1.2))
    assert summary.emissions_g_per_1000_items.ranges.intensity == pytest.approx((30 / 39.22, 45 / 39.22))


def test_a_sum_of_components_has_the_weakest_kind_and_the_ranges_of_both_sensors() -> None:
    readings = [energy(90.0, gain=0.02), energy(10.0, "dram", kind="integrated", gain=0.2)]
    summary = summarise(trial(readings=readings))
    assert summary.energy_per_item_j.value == 0.5
    assert summary.energy_per_item_j.kind == "integrated"
    assert summary.energy_per_item_j.ranges.sensor == pytest.approx((0.962, 1.038))
    assert not summary.energy_per_item_j.lower_bound


def test_a_missing_component_makes_a_lower_bound_that_names_it() -> None:
    summary = summarise(trial(readings=[energy(100.0), energy(None, "dram")]))
    for quantity in (summary.energy_per_item_j, summary.power_w, summary.emissions_g_per_1000_items):
        assert quantity.value is not None
        assert quantity.lower_bound
        assert quantity.reason is not None
        assert "dram: absent" in quantity.reason
    assert not summary.throughput.lower_bound


@pytest.mark.parametrize("readings", [[], [energy(None), energy(None, "dram")]])
def test_unmeasured_is_null_with_a_reason_and_never_zero(readings: list[EnergyReading]) -> None:
    summary = summarise(trial(readings=readings))
    for name in (
        "energy_per_item_j",
        "net_energy_per_item_j",
        "facility_energy_per_item_j",
        "power_w",
        "emissions_g_per_1000_items",
    ):
        quantity = getattr(summary, name)
        assert quantity.value is None
        assert quantity.kind == "unavailable"
        assert quantity.reason
    assert summary.throughput.value == 100.0


def test_energy_that_is_not_attributed_is_not_charged() -> None:
    gpu = energy(900.0, "gpu").model_copy(update={"attributed": False})
    assert summarise(trial(readings=[energy(100.0), gpu])).energy_per_item_j.value == 0.5


def test_energy_below_resolution_is_not_zero() -> None:
    summary = summarise(trial(readings=[energy(0.0)]))
    assert summary.energy_per_item_j.value is None
    assert "resolution" in (summary.energy_per_item_j.reason or "")


def test_trials_with_fewer_components_are_left_out_of_energy_but_not_of_time() -> None:
    complete = [energy(90.0), energy(10.0, "dram")]
    summary = summarise(
        trial(1, readings=complete),
        trial(2, readings=[energy(90.0), energy(None, "dram")], start_s=20.0),
        trial(3, readings=complete, start_s=30.0),
    )
    assert summary.energy_per_item_j.n == 2
    assert summary.energy_per_item_j.value == pytest.approx(0.5)
    assert "left out" in (summary.energy_per_item_j.reason or "")
    assert summary.throughput.n == 3


def test_failed_trials_do_not_count() -> None:
    assert case_summary(case(trials=[failed_trial()]), {}, PLAIN) is None
    assert summarise(trial(), failed_trial(2)).throughput.n == 1


intensities = st.builds(Intensity, g_per_kwh=st.floats(0, 1500), source=st.just("test"), zone=st.none())
emissions = st.builds(
    Emissions, intensity=intensities, pue=st.builds(Pue, value=st.floats(1, 3), source=st.just("test"))
)


def measured_with(emissions: Emissions) -> RunFile:
    file = run_file()
    idle = mean_idle_power(file.idle)
    cases = tuple(case.model_copy(update={"summary": case_summary(case, idle, emissions)}) for case in file.cases)
    return file.model_copy(update={"cases": cases, "emissions": emissions})


@given(emissions, emissions)
def test_recomputing_equals_measuring_and_it_energy_never_changes(old: Emissions, new: Emissions) -> None:
    measured = measured_with(old)
    recomputed = recompute(measured, new)
    assert recomputed == measured_with(new)
    for before, after in zip(measured.cases, recomputed.cases, strict=True):
        assert before.trials == after.trials
        assert before.summary is not None
        assert after.summary is not None
        for name in ("throughput", "energy_per_item_j", "net_energy_per_item_j", "power_w"):
            assert getattr(before.summary, name) == getattr(after.summary, name)


@given(emissions)
def test_emissions_are_facility_energy_times_intensity(emissions: Emissions) -> None:
    for measured in measured_with(emissions).cases:
        assert measured.summary is not None
        grams = measured.summary.emissions_g_per_1000_items.value
        energy_j = measured.summary.energy_per_item_j.value
        assert energy_j is not None
        expected = energy_j * emissions.pue.value * 1000 / 3.6e6 * emissions.intensity.g_per_kwh
        assert grams == pytest.approx(expected, rel=1e-12)


def test_numbers_are_finite_for_extreme_windows() -> None:
    summary = summarise(trial(rate=1e9, length_s=1e-3, readings=[energy(1e-9)]))
    for name in ("throughput", "step_time_s", "energy_per_item_j", "power_w"):
        value = getattr(summary, name).value
        assert value is not None
        assert math.isfinite(value)


def test_notices_about_the_old_intensity_are_replaced_and_others_stay() -> None:
    world, simulated = Notice.of(Code.WORLD_INTENSITY, 472.94), Notice.of(Code.SIMULATED, "sine")
    old = Notice.of(Code.OLD_INTENSITY, "FK (2009)", 3)
    file = run_file(notices=(world, simulated))
    assert recompute(file, PLAIN, (old,)).notices == (simulated, old)
