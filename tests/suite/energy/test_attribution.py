"""Sums of attributed readings, and the energy of a case's trials."""

from __future__ import annotations

import pytest
from run_files import case, energy, trial

from joulemark.suite.energy.attribution import attributed_readings, case_energy, energy_sum, is_estimated, weakest


def test_sum_has_the_weakest_kind_and_the_limits_of_its_readings() -> None:
    total = energy_sum([energy(90.0, gain=0.02), energy(10.0, "dram", kind="integrated", gain=0.2)])
    assert (total.energy_j, total.kind, total.lower_bound, total.reason) == (100.0, "integrated", False, None)
    assert (total.low_j, total.high_j) == (pytest.approx(96.2), pytest.approx(103.8))


def test_sum_without_a_component_is_a_lower_bound() -> None:
    total = energy_sum([energy(90.0), energy(None, "dram")])
    assert (total.energy_j, total.lower_bound, total.missing) == (90.0, True, ("dram: absent",))


def test_sum_has_no_limits_where_a_sensor_has_none() -> None:
    total = energy_sum([energy(90.0), energy(10.0, "dram").model_copy(update={"low_j": None})])
    assert (total.energy_j, total.low_j, total.high_j) == (100.0, None, None)


def test_unknown_sum_is_not_zero() -> None:
    unread, empty = energy_sum([energy(None)]), energy_sum([])
    assert (unread.energy_j, unread.kind, unread.lower_bound) == (None, "unavailable", False)
    assert unread.reason == "package: absent"
    assert (empty.energy_j, empty.reason) == (None, "no sensor was read")


def test_readings_that_are_not_attributed_do_not_count() -> None:
    listed = energy(50.0, "gpu").model_copy(update={"attributed": False})
    assert energy_sum([energy(100.0), listed]).energy_j == 100.0
    assert attributed_readings([energy(100.0), listed, energy(None, "dram")]) == (energy(100.0),)


def test_only_trials_with_the_most_readings_are_averaged() -> None:
    whole = trial(1, readings=[energy(90.0), energy(10.0, "dram")])
    part = trial(2, readings=[energy(90.0), energy(None, "dram")])
    zero = trial(3, readings=[energy(0.0)])
    energy_of_case = case_energy([whole, part, zero])
    assert [(attributed.trial.round, attributed.energy_j) for attributed in energy_of_case.trials] == [(1, 100.0)]
    assert energy_of_case.missing == ()
    assert len(energy_of_case.excluded) == 2


def test_weakest_kind() -> None:
    assert weakest(["counter", "model", "integrated"]) == "model"
    assert weakest([]) == "unavailable"
    assert is_estimated(case(trials=[trial(readings=[energy(9.0, "cpu", kind="model")])]))
    assert not is_estimated(case(trials=[trial()]))
