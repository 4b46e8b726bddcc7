"""Pairs of cases and their ratios: those of compare, and what may not be held against what."""

from __future__ import annotations

import math
import statistics

import pytest
from report_files import cases, full, later, on_gpu, summarised, trials
from run_files import case, failed_trial, machine, run_file
from scipy import stats

from joulemark.reports.figures import figures
from joulemark.reports.model import build
from joulemark.reports.model.pairs import Pair, Ratio
from joulemark.suite.records import ArmSettings
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.drift import ASSUMED_DRIFT, estimate_drift


def of_names(pair: Pair) -> tuple[str, str]:
    return pair.one.case.id, pair.other.case.id


def test_framework_ratios_are_those_of_compare() -> None:
    """The page and `joulemark compare` judge alike: PyTorch over TensorFlow here, B over A there."""
    judged = {(c.pair.b.id, c.pair.a.id, c.metric.key): c for c in compare(full(), full(), "framework").comparisons}
    report = build([full()])
    assert len(report.pairs) == 3
    for pair in report.pairs:
        for key, ratio in (("throughput", pair.throughput), ("energy", pair.energy)):
            expected = judged[*reversed(of_names(pair)), key]
            assert expected.ratio is not None
            assert expected.low is not None
            assert expected.high is not None
            assert ratio.value == pytest.approx(1 / expected.ratio)
            assert (ratio.low, ratio.high) == pytest.approx((1 / expected.high, 1 / expected.low))
        assert pair.throughput.verdict == "more"


def test_a_pair_of_two_trials_has_the_t_interval_of_its_differences() -> None:
    """Too few cases to moderate: Student's t on the rounds' differences, at Holm's levels, from scipy's own."""
    pair, *more = build([summarised(run_file(cases()[:2]))]).pairs
    assert not more
    rates = [
        [t.items / (t.window_s[1] - t.window_s[0]) for t in v.case.trials if t.window_s] for v in (pair.one, pair.other)
    ]
    differences = [math.log(a) - math.log(b) for a, b in zip(*rates, strict=True)]
    assert pair.throughput.value == pytest.approx(math.exp(statistics.fmean(differences)))
    assert pair.throughput.error is not None
    assert pair.throughput.error.value == pytest.approx(stats.sem(differences) ** 2)
    assert pair.throughput.error.degrees == len(differences) - 1


def test_between_runs_drift_comes_on_top() -> None:
    comparison = build([later(1, 1.0), later(2, 2.0)]).comparison
    assert comparison is not None
    assert len(comparison.pairs) == 6
    for pair in comparison.pairs:
        assert pair.throughput.value == pytest.approx(2.0, rel=0.02)  # items are whole numbers
        assert pair.throughput.error is not None
        assert pair.throughput.error.value >= 2 * ASSUMED_DRIFT.value
        assert pair.throughput.verdict == "more"


def test_the_drift_is_the_machines_own_where_enough_runs_tell() -> None:
    runs = [later(day, 1 + 0.02 * (day % 3)) for day in range(1, 8)]
    comparison = build(runs).comparison
    assert comparison is not None
    last = [pair for pair in comparison.pairs if pair.one.run == "G"]
    own = estimate_drift(runs[:6], "throughput")
    assert own is not None
    assert own.value < ASSUMED_DRIFT.value
    for pair in last:
        judged = compare(runs[0], runs[6], drift={"throughput": own}, metrics=("throughput",)).comparisons
        expected = next(found.error for found in judged if found.pair.b.id == pair.one.case.id)
        assert expected is not None
        assert pair.throughput.error is not None
        assert pair.throughput.error.value == pytest.approx(expected.value)


def test_estimated_energy_does_not_widen_what_was_measured() -> None:
    estimated = build([summarised(run_file(cases(kind="model")))]).pairs
    alone = compare(
        *[summarised(run_file(cases(kind="model")))] * 2, "framework", metrics=("throughput", "memory", "first-call")
    )
    widths = {c.pair.a.id: c for c in alone.comparisons if c.metric.key == "throughput"}
    for pair in estimated:
        expected = widths[pair.one.case.id]
        assert expected.low is not None
        assert pair.throughput.high == pytest.approx(1 / expected.low)


def test_of_two_machines_nothing_but_the_machine_differs() -> None:
    comparison = build([full(), on_gpu()]).comparison
    assert comparison is not None
    assert {p.one.case.device for p in comparison.pairs} == {"cpu"}
    reasons = [lost.reason for lost in comparison.unmatched]
    assert sum(reason.startswith("run A has it with device cpu instead of cuda:0") for reason in reasons) >= 6
    assert sum(reason.startswith("run A ") for reason in reasons) == 12
    assert sum(reason.startswith("run B ") for reason in reasons) == 1


def test_a_run_given_twice_is_not_held_against_itself() -> None:
    comparison = build([full(), full()]).comparison
    assert comparison is not None
    assert comparison.pairs == ()
    assert [lost.reason for lost in comparison.unmatched] == ["it is run A once more"]


def test_a_case_without_a_result_is_not_comparable() -> None:
    broken = case(trials=[failed_trial()])
    comparison = build([summarised(run_file([case()])), run_file([broken], id="20261102T120000Z-b2c3")]).comparison
    assert comparison is not None
    assert comparison.pairs == ()
    assert "out of memory" in comparison.unmatched[0].reason or "failed" in comparison.unmatched[0].reason


def test_one_trial_has_no_interval_and_a_tie_no_winner() -> None:
    single = build([summarised(run_file(cases(rounds=1)))]).pairs[0].throughput
    assert (single.verdict, single.low) == ("no interval", None)
    tie = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph", trials=trials(101, 50, 9))]
    (pair,) = build([summarised(run_file(tie))]).pairs
    assert pair.throughput.verdict == "same"
    assert pair.throughput.inverse.verdict == "same"


def test_a_turned_ratio_says_the_opposite() -> None:
    ratio = Ratio(2.0, 1.5, 2.5, "more", gain=(0.8, 1.1))
    assert ratio.inverse.verdict == "less"
    assert (ratio.inverse.low, ratio.inverse.high) == pytest.approx((1 / 2.5, 1 / 1.5))
    assert ratio.inverse.inverse.gain == pytest.approx(ratio.gain)
    assert Ratio(None, reason="because").inverse.reason == "because"


def test_an_estimate_is_never_held_against_a_measurement() -> None:
    measured, estimated = case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph")
    guess = case(framework="tensorflow", mode="graph", trials=cases(kind="model")[1].trials)
    (mixed,) = build([summarised(run_file([measured, guess]))]).pairs
    assert mixed.energy.value is None
    assert "estimated" in mixed.energy.reason
    assert mixed.throughput.value is not None
    (same,) = build([summarised(run_file([measured, estimated]))]).pairs
    assert same.energy.value is not None


def test_arms_of_one_run_are_no_frameworks() -> None:
    one = case(trials=trials(100, 50, 8), arm="a")
    other = case(framework="tensorflow", mode="graph", trials=trials(80, 50, 9), arm="b")
    assert build([summarised(run_file([one, other]))]).pairs == ()


def test_arm_b_stands_over_arm_a() -> None:
    arms = {"a": ArmSettings(), "b": ArmSettings(mode="compile")}
    one = case(trials=trials(100, 50, 8), arm="a", id="x+arm=a")
    other = case(mode="compile", trials=trials(130, 50, 9), arm="b", id="x+arm=b")
    file = summarised(run_file([one, other]))
    report = build([file.model_copy(update={"settings": file.settings.model_copy(update={"arms": arms})})])
    (pair,) = report.arms
    assert (pair.one.case.arm, pair.other.case.arm) == ("b", "a")
    assert pair.throughput.value == pytest.approx(1.3, rel=1e-2)
    (figure,) = [found for found in figures(report) if found.id == "arms"]
    assert "arm B ahead in 1 of 1" in figure.finding


def test_unlike_versions_of_a_workload_are_not_paired() -> None:
    other = case(framework="tensorflow", mode="graph", workload_version="ffffffffffff")
    assert build([summarised(run_file([case(), other]))]).pairs == ()
    earlier = summarised(run_file([case()]))
    changed = summarised(run_file([case(workload_version="ffffffffffff")], id="20261102T120000Z-b2c3"))
    comparison = build([earlier, changed]).comparison
    assert comparison is not None
    assert comparison.pairs == ()
    assert "the workload changed" in comparison.unmatched[0].reason


def test_only_differences_of_environment_are_listed() -> None:
    newer = machine(packages={"numpy": "2.5.0"})
    comparison = build([full(), full(id="20261102T120000Z-b2c3", machine=newer)]).comparison
    assert comparison is not None
    assert comparison.differences == (("package numpy", "2.4.6", "2.5.0"),)
