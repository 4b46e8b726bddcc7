"""Comparisons: honest intervals, and verdicts that follow from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from comparisons import NO_DRIFT, case_with_rates, compare_cases, only, run_of
from run_files import case, energy, run_file, trial
from scipy import stats

from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.compare import compare, metric_families
from joulemark.suite.stats.drift import ASSUMED_DRIFT
from joulemark.suite.stats.variance import Variance

STEADY = case_with_rates(100, 100.1, 99.9)


def test_ratio_by_hand() -> None:
    comparison = compare_cases(case_with_rates(100, 110, 121), case_with_rates(200, 220, 242), drift=NO_DRIFT)
    assert comparison.ratio == pytest.approx(2.0)
    # Logs differ by log(1.1): each run's variance is log(1.1)^2; t with 4 degrees of freedom at 0.975 is 2.776445.
    half = 2.776445105 * math.log(1.1) * math.sqrt(2 / 3)
    assert (comparison.low, comparison.high) == pytest.approx((2 * math.exp(-half), 2 * math.exp(half)), rel=1e-6)
    assert (comparison.verdict, comparison.label, comparison.n) == ("better", "faster", (3, 3))


@pytest.mark.parametrize(
    ("rates", "verdict", "label"),
    [
        ((120, 120.1, 119.9), "better", "faster"),
        ((80, 80.1, 79.9), "worse", "slower"),
        ((101, 101.1, 100.9), "same", "same"),
        ((100, 120, 83), "inconclusive", "inconclusive"),
    ],
)
def test_verdicts_on_throughput(rates: tuple[float, ...], verdict: str, label: str) -> None:
    comparison = compare_cases(STEADY, case_with_rates(*rates), drift=NO_DRIFT)
    assert (comparison.verdict, comparison.label) == (verdict, label)


@pytest.mark.parametrize(
    ("energy_j", "verdict", "label", "regressed"),
    [(50.0, "better", "less energy", False), (150.0, "worse", "more energy", True)],
)
def test_verdicts_on_energy(energy_j: float, verdict: str, label: str, regressed: bool) -> None:
    a, b = (case_with_rates(100, 100.1, 99.9, readings=[energy(joules)]) for joules in (100.0, energy_j))
    comparison = compare_cases(a, b, "energy", drift=NO_DRIFT)
    assert comparison.ratio == pytest.approx(energy_j / 100)
    assert (comparison.verdict, comparison.label, comparison.regressed) == (verdict, label, regressed)


def test_each_metric_has_its_own_threshold() -> None:
    faster = case_with_rates(108, 108.1, 107.9)
    assert compare_cases(STEADY, faster, drift=NO_DRIFT).verdict == "better"
    assert compare_cases(STEADY, faster, drift=NO_DRIFT, thresholds={"throughput": 0.1}).verdict == "same"
    assert compare_cases(STEADY, faster, drift=NO_DRIFT, thresholds={"energy": 0.1}).verdict == "better"


@pytest.mark.parametrize(
    ("rates", "regressed", "held"),
    [
        ((80, 80.1, 79.9), True, False),
        ((94.9, 95.2, 94.6), True, False),  # the interval contains the threshold, 1/1.05, but not 1
        ((97, 97.1, 96.9), False, True),  # certainly slower, and certainly by less
        ((96, 99, 93), False, False),  # contains both
        ((120, 120.1, 119.9), False, True),
    ],
)
def test_a_regression_is_certain_and_possibly_beyond_the_threshold(
    rates: tuple[float, ...], regressed: bool, held: bool
) -> None:
    comparison = compare_cases(STEADY, case_with_rates(*rates), drift=NO_DRIFT)
    assert (comparison.regressed, comparison.held) == (regressed, held)


def test_assumed_drift_hides_small_and_shows_large_differences() -> None:
    small = compare_cases(STEADY, case_with_rates(92, 92.1, 91.9))
    large = compare_cases(STEADY, case_with_rates(70, 70.1, 69.9))
    assert (small.verdict, small.regressed) == ("inconclusive", False)
    assert (large.verdict, large.regressed) == ("worse", True)
    result = compare(run_of(STEADY), run_of(STEADY, id="B"))
    assert result.drift == dict.fromkeys(("throughput", "energy", "first-call"), ASSUMED_DRIFT)


def test_assumed_drift_alarms_where_its_docstring_says() -> None:
    # Trials that do not vary: half an interval is t(4) x 5 % x sqrt(2), and a regression excludes 0 with all of it.
    limit = math.exp(stats.t.ppf(0.99, 4) * 0.05 * math.sqrt(2))
    assert limit == pytest.approx(1.30, abs=0.01)
    a = case_with_rates(100, 100, 100)
    for rate in (76, 78):  # 32 % and 28 % more time
        assert compare_cases(a, case_with_rates(*[rate] * 3), confidence=0.98).regressed is (100 / rate > limit)


def test_assumed_drift_is_at_least_what_trials_may_vary() -> None:
    a, b = case_with_rates(80, 100, 125), case_with_rates(40, 50, 62.5)
    comparison = compare_cases(a, b)
    # Logs differ by log(1.25): its square is the variance of a trial, a third of that the variance of each mean.
    assert comparison.error is not None
    # Drift is the upper 99 % bound of that variance, from the 4 degrees of freedom of both runs.
    bound = 4 / stats.chi2.ppf(0.01, 4)
    assert comparison.error.value == pytest.approx(2 * math.log(1.25) ** 2 * (1 / 3 + bound))
    known = compare_cases(a, b, drift=Variance(0.01**2, 9.0))
    assert known.error is not None
    assert known.error.value == pytest.approx(2 * (math.log(1.25) ** 2 / 3 + 0.01**2))


def test_memory_does_not_drift() -> None:
    a = case_with_rates(100, 100, 100)
    comparison = compare_cases(a, a, "memory")
    assert (comparison.ratio, comparison.low, comparison.high, comparison.verdict) == (1.0, 1.0, 1.0, "same")


def test_one_trial_has_a_ratio_but_no_interval() -> None:
    comparison = compare_cases(case_with_rates(100), case_with_rates(50), drift=NO_DRIFT)
    assert comparison.ratio == pytest.approx(0.5)
    assert (comparison.low, comparison.verdict) == (None, "inconclusive")
    assert comparison.reason == "n=1, no interval"


def test_drift_cancels_within_the_rounds_of_one_run() -> None:
    # Both frameworks slow down alike from round to round: the ratio is steady though the rates are not.
    torch = case_with_rates(100, 80, 60, 40)
    tensorflow = case_with_rates(121, 96, 72, 48, framework="tensorflow", mode="graph")
    result = compare(run_of(torch, tensorflow), run_of(torch, tensorflow), by="framework", metrics=["throughput"])
    comparison = only(result)
    assert comparison.ratio == pytest.approx(1.2, rel=0.01)
    assert comparison.verdict == "better"
    assert result.drift == {}


def test_only_cold_first_calls_are_compared() -> None:
    def compiled(*seconds: float) -> Case:
        trials = [
            trial(i, start_s=10.0 * i).model_copy(
                update={"compile_cache": "cold" if i == 1 else "warm", "first_call_s": s}
            )
            for i, s in enumerate(seconds, 1)
        ]
        return case(trials=trials, mode="compile")

    comparison = compare_cases(compiled(9.0, 1.0, 1.0), compiled(18.0, 1.0, 1.0), "first-call")
    assert (comparison.ratio, comparison.n, comparison.verdict) == (pytest.approx(2.0), (1, 1), "inconclusive")


@pytest.mark.parametrize(
    ("kind", "allow_estimates", "families"),
    [
        ("counter", False, [("throughput", "energy")]),
        ("model", False, [("throughput",), ("energy",)]),
        ("model", True, [("throughput", "energy")]),
    ],
)
def test_modelled_energy_is_a_family_of_its_own(
    kind: str, allow_estimates: bool, families: list[tuple[str, ...]]
) -> None:
    run = run_of(case_with_rates(100, 101, readings=[energy(100.0, kind=kind)]))
    assert metric_families(run, run, ("throughput", "energy"), allow_estimates) == families


def simulated_run(random: np.random.Generator, slowdown: float = 1.0, id: str = "A") -> RunFile:
    """Return a run of twelve cases of five trials with 1 to 3 % of noise."""
    cases = []
    for i, sigma in enumerate(np.linspace(0.01, 0.03, 12)):
        rates = 1000 / slowdown * np.exp(sigma * random.standard_normal(5))
        cases.append(case_with_rates(*rates.tolist(), workload=f"w{i}"))
    return run_file(cases, id=id)


def test_equal_runs_raise_no_alarm_and_slow_ones_do() -> None:
    random = np.random.default_rng(3)
    false_alarms = missed = 0
    for _ in range(80):
        base = simulated_run(random)
        equal, slower = (
            compare(base, run, metrics=["throughput"], drift=NO_DRIFT, confidence=0.98).comparisons
            for run in (simulated_run(random, id="B"), simulated_run(random, 1.1, id="B"))
        )
        false_alarms += any(comparison.regressed for comparison in equal)
        missed += sum(not comparison.regressed for comparison in slower)
        for comparison in (*equal, *slower):
            assert comparison.low is not None
            assert comparison.high is not None
            assert comparison.low <= comparison.ratio <= comparison.high
            assert not (comparison.verdict in {"better", "worse"} and comparison.low <= 1 <= comparison.high)
    # 1 % of 80 runs of twelve cases are expected; 4 or more would come by chance once in 100 times.
    assert false_alarms <= 3
    assert stats.binom.sf(3, 80, 0.01) < 0.01
    assert missed <= 0.1 * 80 * 12


def test_interval_of_hopelessly_few_trials_is_still_a_number() -> None:
    """Two trials have one degree of freedom, whose quantile at the level of many cases is in the thousands."""
    files = [
        run_file([case(f"w{i}", trials=[trial(1, 100.0), trial(2, 180.0 - i)]) for i in range(2)], id=id)
        for id in ("a", "b")
    ]
    wild = compare(*files, metrics=["throughput"], confidence=1 - 1e-15)
    assert all(0 < each.low < 1 < each.high < math.inf for each in wild.comparisons)
