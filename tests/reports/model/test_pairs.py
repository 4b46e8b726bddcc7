"""Pairs of two frameworks or arms: their ratios are those of `compare`, and some cases are never paired."""

from __future__ import annotations

import math
import statistics

import pytest
from report_files import cases, full, summarised, trials
from run_files import case, run_file
from scipy import stats

from joulemark.reports.model import build
from joulemark.reports.sections import all_figures
from joulemark.suite.records import ArmSettings
from joulemark.suite.stats.compare import compare


def test_framework_ratios_are_those_of_compare() -> None:
    """The page and `joulemark compare` judge alike: PyTorch over TensorFlow here, B over A there."""
    comparisons = compare(full(), full(), "framework").comparisons
    judged = {(c.pair.a.id, c.pair.b.id, c.metric.key): c for c in comparisons}
    report = build([full()])
    assert len(report.pairs) == 3
    for pair in report.pairs:
        for key, ratio in (("throughput", pair.throughput), ("energy", pair.energy)):
            expected = judged[pair.first.case.id, pair.second.case.id, key]
            assert expected.ratio is not None
            assert expected.low is not None
            assert expected.high is not None
            assert ratio.value == pytest.approx(1 / expected.ratio)
            assert (ratio.low, ratio.high) == pytest.approx((1 / expected.high, 1 / expected.low))
        assert pair.throughput.verdict == "more"


def test_single_pair_has_the_t_interval_of_its_differences() -> None:
    """Too few cases to moderate: Student's t on the rounds' differences, at Holm's levels, against scipy."""
    (pair,) = build([summarised(run_file(cases()[:2]))]).pairs
    rates = [
        [trial.items / trial.window_length_s for trial in view.case.trials if trial.window_s]
        for view in (pair.first, pair.second)
    ]
    differences = [math.log(a) - math.log(b) for a, b in zip(*rates, strict=True)]
    assert pair.throughput.value == pytest.approx(math.exp(statistics.fmean(differences)))
    assert pair.throughput.variance is not None
    assert pair.throughput.variance.value == pytest.approx(stats.sem(differences) ** 2)
    assert pair.throughput.variance.degrees == len(differences) - 1


def test_estimated_energy_does_not_widen_measured_intervals() -> None:
    run = summarised(run_file(cases(kind="model")))
    without_energy = compare(run, run, "framework", metrics=("throughput", "memory", "first-call")).comparisons
    expected = {c.pair.a.id: c for c in without_energy if c.metric.key == "throughput"}
    for pair in build([run]).pairs:
        low = expected[pair.first.case.id].low
        assert low is not None
        assert pair.throughput.high == pytest.approx(1 / low)


def test_one_trial_has_no_interval_and_a_tie_no_winner() -> None:
    single = build([summarised(run_file(cases(rounds=1)))]).pairs[0].throughput
    assert (single.verdict, single.low) == ("no interval", None)
    tie = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph", trials=trials(101, 50, 9))]
    (pair,) = build([summarised(run_file(tie))]).pairs
    assert pair.throughput.verdict == "same"
    assert pair.throughput.inverse.verdict == "same"


def test_estimates_are_never_compared_with_measurements() -> None:
    measured = case(trials=trials(100, 50, 8))
    estimated = case(framework="tensorflow", mode="graph", trials=cases(kind="model")[1].trials)
    (mixed,) = build([summarised(run_file([measured, estimated]))]).pairs
    assert mixed.energy.value is None
    assert "estimated" in mixed.energy.reason
    assert mixed.throughput.value is not None
    (same,) = build([summarised(run_file([measured, case(framework="tensorflow", mode="graph")]))]).pairs
    assert same.energy.value is not None


def test_arms_of_one_run_are_not_paired_as_frameworks() -> None:
    arm_a = case(trials=trials(100, 50, 8), arm="a")
    arm_b = case(framework="tensorflow", mode="graph", trials=trials(80, 50, 9), arm="b")
    assert build([summarised(run_file([arm_a, arm_b]))]).pairs == ()


def test_arm_pairs_are_b_over_a() -> None:
    arms = {"a": ArmSettings(), "b": ArmSettings(mode="compile")}
    arm_a = case(trials=trials(100, 50, 8), arm="a", id="x+arm=a")
    arm_b = case(mode="compile", trials=trials(130, 50, 9), arm="b", id="x+arm=b")
    file = summarised(run_file([arm_a, arm_b]))
    report = build([file.model_copy(update={"settings": file.settings.model_copy(update={"arms": arms})})])
    (pair,) = report.arms
    assert (pair.first.case.arm, pair.second.case.arm) == ("b", "a")
    assert pair.throughput.value == pytest.approx(1.3, rel=1e-2)
    (figure,) = [figure for figure in all_figures(report) if figure.id == "arms"]
    assert "arm B is ahead in 1 of 1" in figure.summary


@pytest.mark.parametrize(("spec_version", "pairs"), [("5bec", 1), ("ffff", 0)])
def test_frameworks_are_paired_where_the_spec_is_the_same(spec_version: str, pairs: int) -> None:
    other = case(framework="tensorflow", mode="graph", workload_version="ffffffffffff", spec_version=spec_version)
    assert len(build([summarised(run_file([case(spec_version="5bec"), other]))]).pairs) == pairs
