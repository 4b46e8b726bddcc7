"""Each notice: present beyond its threshold, absent within it."""

from __future__ import annotations

from typing import Literal

import pytest
from run_files import case, energy, failed_trial, run_file, trace, trial

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, EnergyReading, Idle, Notice, Result, Trial
from joulemark.suite.results.summary import case_summary
from joulemark.suite.results.validity import case_notices, run_notices


def notices(one: Case) -> dict[Code, Notice]:
    found = case_notices(one, case_summary(one, (), run_file().emissions))
    assert len({notice.code for notice in found}) == len(found)
    return {notice.code: notice for notice in found}


def of_trials(*trials: Trial) -> dict[Code, Notice]:
    return notices(case(trials=trials))


def at_rates(*rates: float) -> list[Trial]:
    return [trial(i, rate, start_s=10.0 * i) for i, rate in enumerate(rates, 1)]


def test_a_good_case_has_none() -> None:
    assert of_trials(*at_rates(95, 100, 105)) == {}


def test_one_trial_is_too_few() -> None:
    found = of_trials(trial())
    assert set(found) == {Code.TOO_FEW_TRIALS}
    assert found[Code.TOO_FEW_TRIALS].message.startswith("Trials that counted: 1;")


def test_lost_trials_are_counted() -> None:
    found = of_trials(*at_rates(99, 101), failed_trial(3), failed_trial(4))
    assert set(found) == {Code.TRIALS_LOST}
    assert found[Code.TRIALS_LOST].value == 2


@pytest.mark.parametrize(("spread", "noticed"), [(9.0, False), (11.0, True)])
def test_variation(spread: float, noticed: bool) -> None:
    found = of_trials(*at_rates(100 - spread, 100, 100 + spread))
    assert (Code.HIGH_VARIANCE in found) is noticed
    if noticed:
        assert found[Code.HIGH_VARIANCE].message.startswith("Trials vary by 11.0%")


def test_drifting_trials_are_counted() -> None:
    trials = [t.model_copy(update={"steady": "drifting"}) for t in at_rates(99, 100)] + [trial(3)]
    assert of_trials(*trials)[Code.NOT_STEADY].value == 2


def with_outputs(*losses: float) -> list[Trial]:
    return [
        t.model_copy(update={"result": Result(first={"loss": loss}, last={"loss": 1.0})})
        for t, loss in zip(at_rates(*[100.0] * len(losses)), losses, strict=True)
    ]


@pytest.mark.parametrize(
    ("losses", "precision", "noticed"),
    [
        ((2.3, 2.3, 2.3), "fp32", False),
        ((2.3, 2.3 * 1.00005, 2.3), "fp32", False),
        ((2.3, 2.3 * 1.001, 2.3), "fp32", True),
        ((2.3, 2.3 * 1.001, 2.3), "bf16", False),
        ((2.3, 2.3 * 1.02, 2.3), "bf16", True),
        ((1e-30, -1e-30), "fp32", True),
        ((0.0, 0.0), "fp32", False),
    ],
)
def test_outputs_of_one_seed_must_agree(losses: tuple[float, ...], precision: str, noticed: bool) -> None:
    found = notices(case(trials=with_outputs(*losses), precision=precision))
    assert (Code.OUTPUTS_DIFFER in found) is noticed


def test_slow_divergence_counts_from_end_to_end() -> None:
    assert Code.OUTPUTS_DIFFER in of_trials(*with_outputs(1.0, 1.00007, 1.00014))


def test_unlike_outputs_differ() -> None:
    other = trial(2).model_copy(update={"result": Result(first={"logits": 1.0}, last={"logits": 1.0})})
    assert of_trials(trial(), other)[Code.OUTPUTS_DIFFER].value == 1.0


@pytest.mark.parametrize(
    ("readings", "codes"),
    [
        ([energy(100.0)], set()),
        ([energy(100.0, kind="model")], {Code.ENERGY_ESTIMATED}),
        ([energy(100.0), energy(None, "dram")], {Code.ENERGY_LOWER_BOUND}),
        ([energy(None)], {Code.ENERGY_UNAVAILABLE}),
        ([], {Code.ENERGY_UNAVAILABLE}),
        ([energy(100.0).model_copy(update={"tick_s": 0.5})], {Code.TOO_SHORT_FOR_SENSOR}),
        ([energy(100.0, kind="model").model_copy(update={"tick_s": 0.5})], {Code.ENERGY_ESTIMATED}),
    ],
)
def test_energy(readings: list[EnergyReading], codes: set[Code]) -> None:
    trials = [trial(i, readings=readings, start_s=10.0 * i) for i in (1, 2)]
    assert set(of_trials(*trials)) == codes


def test_a_failed_case_needs_no_notice() -> None:
    assert case_notices(case(trials=[failed_trial()]), None) == ()


def rest(when: str, power_w: float) -> Idle:
    return Idle(when=when, window_s=(0.0, 5.0), energy=(energy(power_w * 5),))


@pytest.mark.parametrize(("after_w", "noticed"), [(20.0, False), (21.9, False), (22.1, True), (17.9, True)])
def test_idle_drift(after_w: float, noticed: bool) -> None:
    found = run_notices(run_file(idle=(rest("before", 20.0), rest("after", after_w))))
    assert [notice.code for notice in found] == [Code.IDLE_DRIFT] * noticed


def test_idle_drift_is_that_of_what_cases_are_charged_with() -> None:
    """A wall meter and a board that no case uses contain or dilute what moved."""
    package, steady = (10.0, 15.0), (("wall", "machine", (120.0, 125.0)), ("board", "gpu", (60.0, 60.0)))

    def rest(when: Literal["before", "after"], n: int) -> Idle:
        others = [
            energy(powers[n] * 5, component).model_copy(update={"attributed": False, "sensor": sensor})
            for sensor, component, powers in steady
        ]
        return Idle(when=when, window_s=(0.0, 5.0), energy=(energy(package[n] * 5), *others))

    (notice,) = run_notices(run_file(idle=(rest("before", 0), rest("after", 1))))
    assert notice.code == Code.IDLE_DRIFT
    assert notice.value == pytest.approx(0.5)


def test_idle_drift_is_judged_for_each_case_s_own_parts() -> None:
    """A case on the CPU does not rest on the board of another."""
    on_board = [trial(i, readings=[energy(), energy(component="gpu")], start_s=10.0 * i) for i in (1, 2)]
    file = run_file(
        [case(), case(device="cuda:0", trials=on_board)],
        idle=tuple(
            Idle(when=when, window_s=(0.0, 5.0), energy=(energy(package_w * 5), energy(board_w * 5, "gpu")))
            for when, package_w, board_w in (("before", 10.0, 100.0), ("after", 12.0, 100.0))
        ),
    )
    (notice,) = run_notices(file)
    assert notice.value == pytest.approx(0.2)


def test_idle_that_was_not_read_twice_does_not_drift() -> None:
    assert run_notices(run_file(idle=(rest("before", 20.0),))) == ()
    assert run_notices(run_file(idle=())) == ()


def test_simulated_power_is_said() -> None:
    simulated = trace().model_copy(update={"simulated": True, "sensor": "sine"})
    (notice,) = run_notices(run_file(traces=(simulated,)))
    assert notice.code == Code.SIMULATED
    assert "sine" in notice.message
