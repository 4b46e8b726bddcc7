"""The gate's verdict: what is a regression, what is in doubt, what was lost, and the exit code of each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from run_files import case, energy, failed_trial, machine, run_file, trial

from joulemark.suite.errors import NotComparableError
from joulemark.suite.notices import Code
from joulemark.suite.records import Case, EnergyReading, Notice, RunFile
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.gate import Gate, evaluate, without_invalid_cases
from joulemark.suite.stats.thresholds import parse_thresholds
from joulemark.suite.stats.variance import Variance

NO_DRIFT = Variance(0.0, math.inf)
BASE = (10_000.0, 10_010.0, 9_990.0)
SLOW, SAME, NOISY, FAST = (
    tuple(rate * factor for rate, factor in zip(BASE, factors, strict=True))
    for factors in ((0.8, 0.8, 0.8), (1.0, 1.0, 1.0), (1.0, 1.3, 0.75), (1.2, 1.2, 1.2))
)


def at(rates: Sequence[float] = BASE, readings: Sequence[EnergyReading] | None = None, **more: object) -> Case:
    trials = [trial(i, rate, start_s=10.0 * i, readings=readings) for i, rate in enumerate(rates, 1)]
    return case(trials=trials, **more)


def gate(a: Sequence[Case], b: Sequence[Case], *given: str, strict: bool = False, **more: object) -> Gate:
    """The gate on throughput alone unless `given` says otherwise."""
    files = run_file(a, id="A"), run_file(b, id="B")
    limits = parse_thresholds(("throughput",), options=given)
    allowed = bool(more.get("allow_estimates", False))
    found = compare(*files, thresholds=limits, metrics=limits.metrics(), drift=NO_DRIFT, allow_estimates=allowed)
    return evaluate(without_invalid_cases(found) if strict else found, *files, limits, allowed)


@pytest.mark.parametrize(
    ("rates", "outcome", "code"),
    [(SLOW, "regression", 1), (SAME, "fine", 0), (NOISY, "not conclusive", 4), (FAST, "fine", 0)],
)
def test_one_case(rates: Sequence[float], outcome: str, code: int) -> None:
    found = gate([at()], [at(rates)])
    assert (found.outcome, found.exit_code) == (outcome, code)


def test_slower_by_about_the_threshold_is_in_doubt() -> None:
    # 5 % less, give or take 0.5 %: slower for sure, by more than the threshold likely, and no more than that.
    found = gate([at()], [at([9_510.0, 9_546.0, 9_474.0])])
    (one,) = found.doubtful
    assert (one.label, one.regressed, one.held) == ("slower", False, False)
    assert found.exit_code == 4


def test_not_slower_for_sure_has_held_though_faster_is_not_sure() -> None:
    found = gate([at()], [at([10_000.0, 10_600.0, 10_300.0])])
    (one,) = found.held
    assert one.verdict == "inconclusive"
    assert found.exit_code == 0


def test_a_regression_outweighs_doubt() -> None:
    found = gate([at(), at(workload="vit")], [at(SLOW), at(NOISY, workload="vit")])
    assert (len(found.regressed), len(found.doubtful), found.exit_code) == (1, 1, 1)
    assert [found.label(one) for one in (*found.regressed, *found.doubtful)] == ["regressed", "in doubt"]


def test_a_case_without_a_partner() -> None:
    lost = gate([at(), at(workload="vit")], [at()])
    (one,) = lost.lost
    assert (one.case.startswith("vit:"), one.reason, lost.exit_code) == (True, "B does not have it", 4)
    new = gate([at()], [at(), at(workload="vit")])
    assert (new.lost, new.exit_code) == ((), 0)
    assert new.not_judged[0].reason == "new: A does not have it"
    never_ran = case("vit", trials=[], status="skipped", reason="unsupported")
    assert gate([at(), never_ran], [at()]).exit_code == 0


def test_a_partner_with_another_batch_size_is_named() -> None:
    changed = at(batch_size=64, id="cnn:small/training/pytorch/eager/cpu/fp32/b64")
    found = gate([at(), at(workload="vit")], [changed, at(workload="vit")])
    assert found.lost[0].reason == "B has it with batch size 64 instead of 32: compare by batch-size"


def test_failed_cases_are_never_fine() -> None:
    failed = case("vit", trials=[failed_trial()])
    for a, b in (
        ([at(), at(workload="vit")], [at(), failed]),
        ([at(), failed], [at(), failed]),
        ([at()], [at(), failed]),
    ):
        found = gate(a, b)
        assert found.exit_code == 4
        assert found.lost[0].reason.startswith("failed: every trial failed")
    mended = gate([at(), failed], [at(), at(workload="vit")])
    assert (mended.exit_code, len(mended.not_judged)) == (0, 1)
    only = gate([at()], [case(trials=[failed_trial()])])
    assert only.exit_code == 4


def test_nothing_to_judge_is_no_verdict() -> None:
    other = machine(fingerprint="112233445566", hostname="bench-2")
    a, b = run_file([at()], id="A"), run_file([at()], id="B", machine=other)
    limits = parse_thresholds(("throughput",))
    with pytest.raises(NotComparableError, match="measured on two machines"):
        evaluate(compare(a, b, thresholds=limits), a, b, limits)
    with pytest.raises(NotComparableError, match="B does not have it"):
        gate([at()], [at(workload="vit")])
    with pytest.raises(NotComparableError, match="the workload changed"):
        gate([at()], [at(workload_version="ffffffffffff")])


MEASURED, ESTIMATED = [energy(100.0)], [energy(100.0, kind="model")]


@pytest.mark.parametrize(
    ("a", "b", "code", "reason"),
    [
        (MEASURED, MEASURED, 1, None),  # joules per item grow as the rate falls
        (MEASURED, ESTIMATED, 4, "one is measured and the other estimated"),
        (MEASURED, [], 4, "was not measured in B"),
        (ESTIMATED, ESTIMATED, 4, "it was estimated, not measured"),
        ([], [], 4, "was not measured in A"),
    ],
)
def test_energy_that_was_asked_for_and_is_not_there(
    a: list[EnergyReading], b: list[EnergyReading], code: int, reason: str | None
) -> None:
    """Throughput has held (its threshold is 30 %), so the code is what energy says."""
    found = gate([at(readings=a)], [at(SLOW, b)], "throughput:30%", "energy:5%")
    assert found.exit_code == code
    if reason is not None:
        assert reason in found.lost[0].reason
        assert found.lost[0].metric == "energy"


def test_energy_that_the_baseline_had_is_lost_though_nobody_asked_for_it() -> None:
    limits = parse_thresholds(("throughput", "energy"))
    for readings in (ESTIMATED, []):
        files = run_file([at(readings=MEASURED)], id="A"), run_file([at(SAME, readings)], id="B")
        found = compare(*files, thresholds=limits, metrics=limits.metrics(), drift=NO_DRIFT)
        assert [one.metric for one in evaluate(found, *files, limits).lost] == ["energy"]
        back = compare(files[1], files[0], thresholds=limits, metrics=limits.metrics(), drift=NO_DRIFT)
        assert evaluate(back, files[1], files[0], limits).exit_code == 0


def test_energy_that_nobody_measured_or_asked_for_is_set_aside() -> None:
    files = run_file([at(readings=ESTIMATED)], id="A"), run_file([at(SAME, ESTIMATED)], id="B")
    limits = parse_thresholds(("throughput", "energy"))
    found = compare(*files, thresholds=limits, metrics=limits.metrics(), drift=NO_DRIFT)
    said = evaluate(found, *files, limits)
    assert (said.exit_code, said.lost, [one.metric for one in said.not_judged]) == (0, (), ["energy"])
    assert [said.label(one) for one in found.comparisons] == ["held", "not judged"]
    slow = run_file([at(SLOW, ESTIMATED)], id="B")
    allowed = compare(files[0], slow, thresholds=limits, metrics=["energy"], drift=NO_DRIFT, allow_estimates=True)
    assert evaluate(allowed, files[0], slow, limits, allow_estimates=True).exit_code == 1


def test_strictly_a_case_that_is_not_valid_proves_nothing() -> None:
    noisy = at(SLOW).model_copy(update={"notices": (Notice.of(Code.NOT_STEADY, "drifting"),)})
    assert gate([at()], [noisy]).exit_code == 1
    found = gate([at()], [noisy], strict=True)
    assert found.exit_code == 4
    assert (found.doubtful[0].reason or "").startswith("B is not valid: ")
    harmless = at(SLOW).model_copy(update={"notices": (Notice.of(Code.WORLD_INTENSITY, 473.0),)})
    assert gate([at()], [harmless], strict=True).exit_code == 1


def test_a_metric_can_be_off_for_some_cases() -> None:
    limits = parse_thresholds(("throughput",), {"vit*": {"throughput": "off"}})
    a = run_file([at(), at(workload="vit")], id="A")
    b: RunFile = run_file([at(), at(SLOW, workload="vit")], id="B")
    found = compare(a, b, thresholds=limits, metrics=limits.metrics(), drift=NO_DRIFT)
    assert [one.pair.b.workload for one in found.comparisons] == ["cnn"]
    assert evaluate(found, a, b, limits).exit_code == 0
