"""The gate: what is a regression, in doubt or lost, and the exit code of each."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from comparisons import NO_DRIFT, case_with_rates
from run_files import case, energy, failed_trial, machine, run_file

from joulemark.suite.errors import NotComparableError
from joulemark.suite.notices import Code
from joulemark.suite.records import Case, EnergyReading, Notice, RunFile
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.gate import Gate, evaluate, without_invalid_cases
from joulemark.suite.stats.thresholds import Thresholds, parse_thresholds

BASE = (10_000.0, 10_010.0, 9_990.0)
SLOW, SAME, NOISY, FAST = (
    tuple(rate * factor for rate, factor in zip(BASE, factors, strict=True))
    for factors in ((0.8, 0.8, 0.8), (1.0, 1.0, 1.0), (1.0, 1.3, 0.75), (1.2, 1.2, 1.2))
)


def at(rates: Sequence[float] = BASE, readings: Sequence[EnergyReading] | None = None, **fields: object) -> Case:
    return case_with_rates(*rates, readings=readings, **fields)


def judge(
    a: Sequence[Case], b: Sequence[Case], thresholds: Thresholds, strict: bool = False, allow_estimates: bool = False
) -> Gate:
    runs = run_file(a, id="A"), run_file(b, id="B")
    metrics = thresholds.metrics()
    result = compare(*runs, thresholds=thresholds, metrics=metrics, drift=NO_DRIFT, allow_estimates=allow_estimates)
    return evaluate(without_invalid_cases(result) if strict else result, *runs, thresholds, allow_estimates)


def gate(a: Sequence[Case], b: Sequence[Case], *options: str, **settings: bool) -> Gate:
    """Return the gate on throughput, and on what `options` add."""
    return judge(a, b, parse_thresholds(("throughput",), options=options), **settings)


@pytest.mark.parametrize(
    ("rates", "outcome", "code"),
    [(SLOW, "regression", 1), (SAME, "fine", 0), (NOISY, "not conclusive", 4), (FAST, "fine", 0)],
)
def test_one_case(rates: Sequence[float], outcome: str, code: int) -> None:
    verdict = gate([at()], [at(rates)])
    assert (verdict.outcome, verdict.exit_code) == (outcome, code)


def test_slower_by_about_the_threshold_is_a_regression() -> None:
    # 5 % less, give or take 0.5 %: certainly slower, and perhaps by the threshold.
    verdict = gate([at()], [at([9_510.0, 9_546.0, 9_474.0])])
    (comparison,) = verdict.regressed
    assert (comparison.label, comparison.held) == ("slower", False)
    assert verdict.exit_code == 1


def test_certainly_not_slower_has_held_even_if_inconclusive() -> None:
    verdict = gate([at()], [at([10_000.0, 10_600.0, 10_300.0])])
    (comparison,) = verdict.held
    assert comparison.verdict == "inconclusive"
    assert verdict.exit_code == 0


def test_a_regression_outweighs_doubt() -> None:
    verdict = gate([at(), at(workload="vit")], [at(SLOW), at(NOISY, workload="vit")])
    assert (len(verdict.regressed), len(verdict.doubtful), verdict.exit_code) == (1, 1, 1)
    assert [verdict.label(c) for c in (*verdict.regressed, *verdict.doubtful)] == ["regressed", "in doubt"]


def test_case_without_a_partner() -> None:
    lost = gate([at(), at(workload="vit")], [at()])
    (unjudged,) = lost.lost
    assert (unjudged.case.startswith("vit:"), unjudged.reason[:2], lost.exit_code) == (True, "B ", 4)
    new = gate([at()], [at(), at(workload="vit")])
    assert (new.lost, new.exit_code) == ((), 0)
    assert new.not_judged[0].reason.startswith("new: A ")
    never_ran = case("vit", trials=[], status="skipped", reason="unsupported")
    assert gate([at(), never_ran], [at()]).exit_code == 0


def test_nearest_case_is_given_as_the_reason() -> None:
    changed = at(batch_size=64, id="cnn:small/training/pytorch/eager/cpu/fp32/b64")
    verdict = gate([at(), at(workload="vit")], [changed, at(workload="vit")])
    assert "batch size 64 instead of 32" in verdict.lost[0].reason


FAILED = case("vit", trials=[failed_trial()])


@pytest.mark.parametrize(
    ("a", "b"),
    [([at(), at(workload="vit")], [at(), FAILED]), ([at(), FAILED], [at(), FAILED]), ([at()], [at(), FAILED])],
)
def test_failed_cases_are_never_fine(a: list[Case], b: list[Case]) -> None:
    verdict = gate(a, b)
    assert verdict.exit_code == 4
    assert verdict.lost[0].reason.startswith("failed: every trial failed")


def test_only_case_failed() -> None:
    assert gate([at()], [case(trials=[failed_trial()])]).exit_code == 4


def test_case_that_failed_in_the_baseline_only_is_new() -> None:
    verdict = gate([at(), FAILED], [at(), at(workload="vit")])
    assert (verdict.exit_code, len(verdict.not_judged)) == (0, 1)


def test_nothing_to_judge_is_an_error() -> None:
    other = machine(fingerprint="112233445566", hostname="bench-2")
    a, b = run_file([at()], id="A"), run_file([at()], id="B", machine=other)
    limits = parse_thresholds(("throughput",))
    with pytest.raises(NotComparableError, match=r"\(bench-1 and bench-2\)"):
        evaluate(compare(a, b, thresholds=limits), a, b, limits)
    with pytest.raises(NotComparableError, match="B does not have it"):
        gate([at()], [at(workload="vit")])
    with pytest.raises(NotComparableError, match="ffffffffffff"):
        gate([at()], [at(workload_version="ffffffffffff")])


MEASURED, ESTIMATED = [energy(100.0)], [energy(100.0, kind="model")]
SIMULATED = [energy(100.0).model_copy(update={"sensor": "simulated"})]


@pytest.mark.parametrize(
    ("a", "b", "code", "reason"),
    [
        (MEASURED, MEASURED, 1, None),  # joules per item grow as the rate falls
        (MEASURED, ESTIMATED, 4, "one is measured and the other estimated"),
        (MEASURED, [], 4, "not measured in B"),
        (ESTIMATED, ESTIMATED, 4, "--allow-estimates"),
        ([], [], 4, "not measured in A"),
        (SIMULATED, MEASURED, 4, "the energy of one is simulated"),
        (SIMULATED, SIMULATED, 1, None),
    ],
)
def test_requested_energy_that_is_missing(
    a: list[EnergyReading], b: list[EnergyReading], code: int, reason: str | None
) -> None:
    """Throughput has held (its threshold is 30 %), so the code is that of energy."""
    verdict = gate([at(readings=a)], [at(SLOW, b)], "throughput:30%", "energy:5%")
    assert verdict.exit_code == code
    if reason is not None:
        assert reason in verdict.lost[0].reason
        assert verdict.lost[0].metric == "energy"


BOTH = parse_thresholds(("throughput", "energy"))


@pytest.mark.parametrize("readings", [ESTIMATED, []])
def test_energy_of_the_baseline_that_is_missing_is_lost(readings: list[EnergyReading]) -> None:
    measured, unmeasured = [at(readings=MEASURED)], [at(SAME, readings)]
    assert [unjudged.metric for unjudged in judge(measured, unmeasured, BOTH).lost] == ["energy"]
    assert judge(unmeasured, measured, BOTH).exit_code == 0


def test_energy_that_nobody_measured_or_requested_is_not_judged() -> None:
    a, b = run_file([at(readings=ESTIMATED)], id="A"), run_file([at(SAME, ESTIMATED)], id="B")
    result = compare(a, b, thresholds=BOTH, metrics=BOTH.metrics(), drift=NO_DRIFT)
    verdict = evaluate(result, a, b, BOTH)
    assert (verdict.exit_code, verdict.lost, [u.metric for u in verdict.not_judged]) == (0, (), ["energy"])
    assert [verdict.label(comparison) for comparison in result.comparisons] == ["held", "not judged"]


def test_allowed_estimates_are_judged() -> None:
    a, b = [at(readings=ESTIMATED)], [at(SLOW, ESTIMATED)]
    energy_only = parse_thresholds(("energy",))
    assert judge(a, b, energy_only, allow_estimates=True).exit_code == 1


def test_strict_gate_does_not_use_invalid_cases() -> None:
    unsteady = at(SLOW).model_copy(update={"notices": (Notice.of(Code.NOT_STEADY, "drifting"),)})
    assert gate([at()], [unsteady]).exit_code == 1
    verdict = gate([at()], [unsteady], strict=True)
    assert verdict.exit_code == 4
    assert (verdict.doubtful[0].reason or "").startswith("B is not valid: ")
    harmless = at(SLOW).model_copy(update={"notices": (Notice.of(Code.WORLD_INTENSITY, 473.0),)})
    assert gate([at()], [harmless], strict=True).exit_code == 1


def test_metric_that_is_off_for_some_cases() -> None:
    limits = parse_thresholds(("throughput",), {"vit*": {"throughput": "off"}})
    a = run_file([at(), at(workload="vit")], id="A")
    b: RunFile = run_file([at(), at(SLOW, workload="vit")], id="B")
    result = compare(a, b, thresholds=limits, metrics=limits.metrics(), drift=NO_DRIFT)
    assert [comparison.pair.b.workload for comparison in result.comparisons] == ["cnn"]
    assert evaluate(result, a, b, limits).exit_code == 0
