"""Later runs against the first: drift between runs, what cannot be compared, and the environments."""

from __future__ import annotations

import pytest
from report_files import full, on_gpu, run_on_day, summarised
from run_files import case, failed_trial, machine, run_file

from joulemark.reports.model import build
from joulemark.reports.model.comparison import RunComparison
from joulemark.suite.records import RunFile
from joulemark.suite.stats.compare import ASSUMED_DRIFT, compare
from joulemark.suite.stats.drift import estimate_drift

SECOND_ID = "20261102T120000Z-b2c3"


def compared(*runs: RunFile) -> RunComparison:
    comparison = build(runs).comparison
    assert comparison is not None
    return comparison


def test_one_run_has_no_comparison() -> None:
    assert build([full()]).comparison is None


def test_drift_adds_to_the_variance_between_runs() -> None:
    pairs = compared(run_on_day(1, 1.0), run_on_day(2, 2.0)).pairs
    assert len(pairs) == 6
    for pair in pairs:
        assert pair.throughput.value == pytest.approx(2.0, rel=0.02)  # items are whole numbers
        assert pair.throughput.variance is not None
        assert pair.throughput.variance.value >= 2 * ASSUMED_DRIFT.value
        assert pair.throughput.verdict == "more"


def test_drift_is_estimated_from_the_machines_own_runs_if_there_are_enough() -> None:
    runs = [run_on_day(day, 1 + 0.02 * (day % 3)) for day in range(1, 8)]
    drift = estimate_drift(runs[:6], "throughput")
    assert drift is not None
    assert drift.value < ASSUMED_DRIFT.value
    judged = compare(runs[0], runs[6], drift={"throughput": drift}, metrics=("throughput",)).comparisons
    expected = {comparison.pair.b.id: comparison.error for comparison in judged}
    for pair in compared(*runs).pairs:
        if pair.first.run == "G":
            error = expected[pair.first.case.id]
            assert error is not None
            assert pair.throughput.variance is not None
            assert pair.throughput.variance.value == pytest.approx(error.value)


def test_cases_of_two_machines_differ_in_nothing_but_the_machine() -> None:
    comparison = compared(full(), on_gpu())
    assert {pair.first.case.device for pair in comparison.pairs} == {"cpu"}
    reasons = [unmatched.reason for unmatched in comparison.unmatched]
    assert sum("cuda:0" in reason and "cpu" in reason for reason in reasons) >= 6
    assert sum(reason.startswith("run A ") for reason in reasons) == 12
    assert sum(reason.startswith("run B ") for reason in reasons) == 1


def test_run_given_twice_is_not_compared_with_itself() -> None:
    comparison = compared(full(), full())
    assert comparison.pairs == ()
    (unmatched,) = comparison.unmatched
    assert (unmatched.title, "run A" in unmatched.reason) == ("run B", True)


def test_case_without_a_result_is_not_comparable() -> None:
    failed = run_file([case(trials=[failed_trial(reason="asked for 9 GiB")])], id=SECOND_ID)
    comparison = compared(summarised(run_file([case()])), failed)
    assert comparison.pairs == ()
    assert "asked for 9 GiB" in comparison.unmatched[0].reason or "failed" in comparison.unmatched[0].reason


def test_different_workload_versions_are_not_comparable() -> None:
    changed = summarised(run_file([case(workload_version="ffffffffffff")], id=SECOND_ID))
    comparison = compared(summarised(run_file([case()])), changed)
    assert comparison.pairs == ()
    (unmatched,) = comparison.unmatched
    assert "workload" in unmatched.reason


def test_only_differences_between_environments_are_listed() -> None:
    newer = machine(packages={"numpy": "2.5.0"})
    comparison = compared(full(), full(id=SECOND_ID, machine=newer))
    assert comparison.differences == (("package numpy", "2.4.6", "2.5.0"),)
