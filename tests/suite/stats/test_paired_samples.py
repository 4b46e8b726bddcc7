"""Ratios of energies: what sensors and models allow to be said."""

from __future__ import annotations

import math

import pytest
from comparisons import NO_DRIFT, case_with_rates, compare_cases, only, run_of
from run_files import case, energy, machine, trial

from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison


def energy_of(a: RunFile, b: RunFile, by: str | None = None, **options: object) -> Comparison:
    return only(compare(a, b, by, metrics=["energy"], drift=NO_DRIFT, **options), "energy")


def test_turns_give_the_ratio_of_a_round_where_both_took_them() -> None:
    """By hand: B's steps are 1.1, 1.2 and 1.0 times as long in round 1, and twice in round 2, of two items each."""
    turns = {"a": [(0.010, 0.020, 0.010), (0.010,), ()], "b": [(0.011, 0.024, 0.010), (0.020,), (0.010,)]}
    cases = []
    for arm, rate in (("a", 100), ("b", 80)):
        trials = [
            trial(i, rate, 10.0 * i).model_copy(update={"turns_s": turns_s, "items": 2 * int(2 * rate)})
            for i, turns_s in enumerate(turns[arm], 1)
        ]
        id_ = f"cnn:small/training/pytorch/eager/cpu/fp32/b32+arm={arm}"
        cases.append(case(trials=trials, arm=arm, id=id_))
    run = run_of(*cases)
    comparison = only(compare(run, run, by="arm", metrics=["throughput"], drift=NO_DRIFT))
    logs = [-math.log(1.1), -math.log(2), math.log(0.8)]
    assert comparison.log_ratio_by_round == pytest.approx(dict(enumerate(logs, 1)))
    assert comparison.ratio == pytest.approx(math.exp(sum(logs) / 3))
    a, b = comparison.values
    assert b / a == pytest.approx(comparison.ratio)
    assert a == pytest.approx(200.0)
    # Energy is read over windows, whatever the turns.
    energies = only(compare(run, run, by="arm", metrics=["energy"]), "energy")
    assert energies.ratio == pytest.approx(100 / 80)


def test_an_interval_wider_than_a_double_has_finite_ends() -> None:
    """The shortest and the longest turn of a run file, exchanged in the second of two rounds."""
    cases = []
    for arm, turns in (("a", (1e-12, 1e9)), ("b", (1e9, 1e-12))):
        trials = [trial(i, 100, 10.0 * i).model_copy(update={"turns_s": (each,)}) for i, each in enumerate(turns, 1)]
        cases.append(case(trials=trials, arm=arm, id=f"cnn:small/training/pytorch/eager/cpu/fp32/b32+arm={arm}"))
    run = run_of(*cases)
    comparison = only(compare(run, run, by="arm", metrics=["throughput"], confidence=0.98))
    assert comparison.ratio == pytest.approx(1.0)
    assert (comparison.low, comparison.high) == pytest.approx((math.exp(-700), math.exp(700)))


EQUAL = case_with_rates(100, 100, 100, readings=[energy(100.0, gain=0.05)])


def test_gain_error_of_a_sensor_cancels_on_one_machine() -> None:
    same = energy_of(run_of(EQUAL), run_of(EQUAL, id="B"))
    assert (same.low, same.high) == pytest.approx((1.0, 1.0))
    elsewhere = run_of(EQUAL, id="B", machine=machine(fingerprint="112233445566"))
    different = energy_of(run_of(EQUAL), elsewhere, "machine")
    assert (different.low, different.high) == pytest.approx((0.95 / 1.05, 1.05 / 0.95))
    assert different.verdict == "inconclusive"


@pytest.mark.parametrize("by", [None, "machine"])
def test_nodes_of_one_kind_have_sensors_of_their_own(by: str | None) -> None:
    """Identical nodes have one fingerprint, and RAPL's first package is `package-0` on each."""
    comparison = energy_of(run_of(EQUAL), run_of(EQUAL, id="B", machine=machine(hostname="bench-2")), by)
    assert (comparison.low, comparison.high) == pytest.approx((0.95 / 1.05, 1.05 / 0.95))


def test_modelled_energy_is_not_compared_with_measured_energy() -> None:
    measured, modelled = case_with_rates(100, 101), case_with_rates(100, 101, readings=[energy(100.0, kind="model")])
    a, b = run_of(measured), run_of(modelled, id="B")
    refused = energy_of(a, b)
    assert (refused.verdict, refused.ratio) == ("not comparable", None)
    allowed = energy_of(a, b, allow_estimates=True)
    assert allowed.ratio is not None
    assert allowed.estimated
    both_modelled = energy_of(run_of(modelled), b)
    assert both_modelled.estimated
    assert both_modelled.ratio == 1.0


def test_different_components_are_not_compared() -> None:
    a = case_with_rates(100, 101, readings=[energy(90.0), energy(10.0, "dram")])
    b = case_with_rates(100, 101, readings=[energy(90.0), energy(None, "dram")])
    comparison = compare_cases(a, b, "energy")
    assert comparison.verdict == "not comparable"
    assert (comparison.reason or "").endswith(": dram, package and package")


def modelled(rate: float, load: float, **fields: object) -> Case:
    """Return a case under codecarbon's model of a 100 W processor, whose true energy is 0.70 to 4.88 times as much."""
    power_w = 100 * (0.1 + 0.9 * load**3)
    trials = []
    for number, factor in enumerate((0.999, 1.0, 1.001), 1):
        reading = energy(2 * power_w * factor, "cpu", "model")
        joules = reading.energy_j or 0.0
        reading = reading.model_copy(update={"low_j": 0.70 * joules, "high_j": 4.88 * joules})
        trials.append(trial(number, rate, readings=[reading]))
    return case(trials=trials, **fields)


def test_a_model_shows_nothing_between_two_cases() -> None:
    """Equal speed at loads of 1 and 0.55: a factor of 4 by the model's curve alone, where RAPL may see none."""
    run = run_of(modelled(1000, 1.0), modelled(1000, 0.55, framework="tensorflow", mode="graph"))
    comparison = energy_of(run, run, "framework")
    assert comparison.ratio == pytest.approx(0.25, rel=0.01)
    assert (comparison.low, comparison.high) == pytest.approx((0.25 * 0.70 / 4.88, 0.25 * 4.88 / 0.70), rel=0.02)
    assert comparison.verdict == "inconclusive"
    # Nor at equal loads: the power at a given load depends on what the processor does.
    run = run_of(modelled(1000, 1.0), modelled(800, 1.0, framework="tensorflow", mode="graph"))
    assert energy_of(run, run, "framework").verdict == "inconclusive"
    # Nor between two machines.
    elsewhere = run_of(modelled(500, 1.0), id="B", machine=machine(hostname="other"))
    assert energy_of(run_of(modelled(1000, 1.0)), elsewhere).verdict == "inconclusive"


def test_modelled_energy_of_one_case_at_one_load_follows_its_time() -> None:
    comparison = energy_of(run_of(modelled(1000, 0.9)), run_of(modelled(800, 0.9), id="B"))
    assert (comparison.low, comparison.high) == pytest.approx((1.25, 1.25), rel=0.01)
    assert comparison.verdict == "worse"


@pytest.mark.parametrize("loads", [(1.0, 0.8), (0.8, 1.0)])
def test_if_the_load_changed_the_interval_includes_the_change_of_time_alone(loads: tuple[float, float]) -> None:
    comparison = energy_of(run_of(modelled(1000, loads[0])), run_of(modelled(800, loads[1]), id="B"))
    power = (0.1 + 0.9 * loads[1] ** 3) / (0.1 + 0.9 * loads[0] ** 3)
    assert comparison.ratio == pytest.approx(1.25 * power)
    assert sorted([1.25, 1.25 * power]) == pytest.approx([comparison.low, comparison.high], rel=0.01)
