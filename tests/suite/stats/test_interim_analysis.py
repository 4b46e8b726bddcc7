"""Interim analyses of an A/B run: which pairs continue, and how often that raises false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from comparisons import only
from run_files import case, run_file, trial
from scipy import stats

from joulemark.suite.records import ArmRecord, ArmSettings, Case, FrameworkInfo, RunFile, Settings
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import ComparisonResult
from joulemark.suite.stats.interim_analysis import analysis_levels, first_rounds, undecided
from joulemark.suite.stats.variance import Variance

ROUNDS = 5


def arm_case(arm: str, logs: list[float], workload: str = "w0", **fields: object) -> Case:
    """Return a case of an arm whose trial in each round has a rate of 1e6 exp(log)."""
    trials = [
        trial(number, 1e6 * math.exp(log), start_s=10.0 * number, readings=[]) for number, log in enumerate(logs, 1)
    ]
    made = case(workload=workload, trials=trials, arm=arm, **fields)
    return made.model_copy(update={"id": f"{made.id}+arm={arm}"})


def ab_run(cases: list[Case], max_rounds: int | None = None) -> RunFile:
    run_file_ = run_file(cases, settings=Settings(arms={"a": ArmSettings(), "b": ArmSettings()}))
    run = run_file_.run.model_copy(update={"rounds": ROUNDS, "max_rounds": max_rounds})
    return run_file_.model_copy(update={"run": run})


def compare_arms(run: RunFile) -> ComparisonResult:
    return compare(run, run, by="arm", metrics=["throughput"])


def simulate(random: np.random.Generator, pairs: int, max_rounds: int, adjusted: bool) -> ComparisonResult:
    """Run a noisy A/B run of equal arms to its end; `adjusted`: with the levels of interim analyses."""
    noise = 0.1 * random.standard_normal((2, pairs, max_rounds))
    rounds = [ROUNDS] * pairs
    while True:
        cases = [
            arm_case(arm, noise[i, pair, :count].tolist(), f"w{pair}")
            for pair, count in enumerate(rounds)
            for i, arm in enumerate("ab")
        ]
        result = compare_arms(ab_run(cases, max_rounds if adjusted else None))
        workloads = {case_id.partition(":")[0] for case_id in undecided(result)}
        more = [count + ROUNDS if f"w{pair}" in workloads else count for pair, count in enumerate(rounds)]
        if more == rounds or max(more) > max_rounds:
            return result
        rounds = more


def test_arms_are_compared_with_their_differences() -> None:
    old = FrameworkInfo(version="2.13", python="3.11", build="cpu")
    a = ArmRecord(
        interpreter="/a/python",
        python="3.11.7",
        suite_version="1.0",
        frameworks={"pytorch": old},
        packages={"numpy": "2"},
    )
    new = {"pytorch": old.model_copy(update={"version": "2.14"})}
    b = a.model_copy(update={"interpreter": "/b/python", "frameworks": new, "environment": {"X": "1"}})
    run = ab_run([arm_case("a", [0.0] * 5), arm_case("b", [0.1] * 5)]).model_copy(update={"arms": {"a": a, "b": b}})
    result = compare_arms(run)
    comparison = only(result)
    assert (comparison.pair.a.arm, comparison.pair.b.arm) == ("a", "b")
    assert comparison.ratio == pytest.approx(math.exp(0.1), rel=1e-5)
    assert result.environment == {"pytorch": ("2.13", "2.14")}


def test_only_what_the_arms_set_may_differ() -> None:
    cases = [
        arm_case("a", [0.0] * 5, threads=1),
        arm_case("b", [0.1] * 5, threads=2),
        arm_case("a", [0.0] * 5, workload="w1", threads=1, batch_size=1),
        arm_case("b", [0.1] * 5, workload="w1", threads=2, batch_size=2),
    ]
    run = ab_run(cases)
    assert compare_arms(run).comparisons == ()
    arms = {"a": ArmSettings(threads=1), "b": ArmSettings(threads=2)}
    run = run.model_copy(update={"settings": Settings(arms=arms)})
    assert only(compare_arms(run)).pair.a.workload == "w0"


def test_workload_that_changed_between_arms_is_compared_with_a_note() -> None:
    run = ab_run([arm_case("a", [0.0] * 5), arm_case("b", [0.1] * 5, workload_version="ffffffffffff")])
    comparison = only(compare_arms(run))
    assert comparison.verdict == "better"
    assert "(version 0123456789ab and ffffffffffff)" in (comparison.reason or "")


@pytest.mark.parametrize(("count", "analysis"), [(5, 1), (7, 1), (10, 2), (15, 3)])
def test_pair_is_judged_at_the_level_of_its_own_analysis(count: int, analysis: int) -> None:
    logs = np.array(([0.01, -0.01, 0.02, -0.02, 0.0] * 3)[:count])
    comparison = only(compare_arms(ab_run([arm_case("a", [0.0] * count), arm_case("b", logs.tolist())], 15)))
    # By hand: the interval of a mean of differences, at the level of this analysis.
    level = analysis_levels(3, 0.05)[analysis - 1]
    half = stats.t.ppf(1 - level / 2, count - 1) * logs.std(ddof=1) / math.sqrt(count)
    assert math.log(comparison.low) == pytest.approx(logs.mean() - half, abs=2e-6)
    assert math.log(comparison.high) == pytest.approx(logs.mean() + half, abs=2e-6)


@pytest.mark.parametrize(("count", "analysis"), [(5, 1), (10, 2), (15, 3)])
def test_a_run_that_is_measured_longer_is_judged_against_a_kept_one_at_the_level_of_its_analysis(
    count: int, analysis: int
) -> None:
    def kept(number: int, trials: int, max_rounds: int | None) -> RunFile:
        logs = np.tile([1e-6, -1e-6], trials)[:trials]  # the drift is all that counts
        made = case(
            trials=[trial(n, 1e6 * math.exp(log), start_s=10.0 * n, readings=[]) for n, log in enumerate(logs, 1)]
        )
        run = run_file([made], id=f"2026110{number}T120000Z-a1b2")
        plan = run.run.model_copy(update={"rounds": ROUNDS, "max_rounds": max_rounds})
        return run.model_copy(update={"run": plan})

    drift = Variance(0.05**2, math.inf)
    result = compare(kept(1, 5, None), kept(2, count, 15), metrics=["throughput"], drift=drift, confidence=0.98)
    level = analysis_levels(3, 0.02)[analysis - 1]
    half = stats.norm.isf(level / 2) * math.sqrt(2) * 0.05  # both runs drift
    assert math.log(only(result).high) == pytest.approx(half, rel=1e-3)


def test_undecided_are_both_cases_of_an_inconclusive_pair() -> None:
    noisy = [0.1, -0.1, 0.2, -0.2, 0.0]
    cases = [
        arm_case(arm, [0.0] * 5 if arm == "a" else logs, workload)
        for workload, logs in (("w0", [0.5] * 5), ("w1", noisy))
        for arm in "ab"
    ]
    assert undecided(compare_arms(ab_run(cases))) == {c.id for c in cases if c.workload == "w1"}


def test_one_round_decides_nothing() -> None:
    cases = [arm_case(arm, [0.0]) for arm in "ab"]
    assert undecided(compare_arms(ab_run(cases))) == {c.id for c in cases}


def test_first_rounds_is_the_run_as_it_was() -> None:
    run = ab_run([arm_case("a", [0.0] * 15), arm_case("b", [0.1] * 10)], 15)
    assert [len(c.trials) for c in first_rounds(run, 5).cases] == [5, 5]
    assert first_rounds(run, 15) == run


@pytest.mark.slow
def test_levels_of_interim_analyses_keep_false_alarms_few() -> None:
    def false_alarms(adjusted: bool) -> int:
        random = np.random.default_rng(8)
        results = [simulate(random, pairs=2, max_rounds=5 * ROUNDS, adjusted=adjusted) for _ in range(100)]
        return sum(any(c.verdict in ("better", "worse") for c in result.comparisons) for result in results)

    # At 5 % in all, more than 10 of 100 has a probability of 1 % (binomial).
    assert false_alarms(adjusted=True) <= 10
    assert false_alarms(adjusted=False) > 10
