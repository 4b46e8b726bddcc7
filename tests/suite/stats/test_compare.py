"""Comparisons: the right pairs, honest intervals, verdicts that follow from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from run_files import case, energy, failed_trial, machine, run_file, trial
from scipy import stats

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Case, EnergyReading, RunFile
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.drift import ASSUMED_DRIFT
from joulemark.suite.stats.variance import Variance
from joulemark.suite.trial.environment import build

NO_DRIFT = Variance(0.0, math.inf)


def at(*rates: float, readings: Sequence[EnergyReading] | None = None, **more: object) -> Case:
    trials = [trial(i, rate, start_s=10.0 * i, readings=readings) for i, rate in enumerate(rates, 1)]
    return case(trials=trials, **more)


def run(*cases: Case, id: str = "A", **more: object) -> RunFile:
    return run_file(list(cases), id=id, **more)


def only(found: Sequence[Comparison], metric: str = "throughput") -> Comparison:
    (one,) = [comparison for comparison in found if comparison.metric.key == metric]
    return one


def throughput(a: Case, b: Case, **more: object) -> Comparison:
    return only(compare(run(a), run(b, id="B"), metrics=["throughput"], **more).comparisons)


def test_ratio_by_hand() -> None:
    found = throughput(at(100, 110, 121), at(200, 220, 242), drift=NO_DRIFT)
    assert found.ratio == pytest.approx(2.0)
    # logs step by log(1.1): each side's variance is log(1.1)^2; t with 4 degrees of freedom at 0.975 is 2.776445.
    half = 2.776445105 * math.log(1.1) * math.sqrt(2 / 3)
    assert (found.low, found.high) == pytest.approx((2 * math.exp(-half), 2 * math.exp(half)), rel=1e-6)
    assert (found.verdict, found.label, found.n) == ("better", "faster", (3, 3))


@pytest.mark.parametrize(
    ("b", "verdict", "words"),
    [
        ((120, 120.1, 119.9), "better", "faster"),
        ((80, 80.1, 79.9), "worse", "slower"),
        ((101, 101.1, 100.9), "same", "same"),
        ((100, 120, 83), "inconclusive", "inconclusive"),
    ],
)
def test_verdicts(b: tuple[float, ...], verdict: str, words: str) -> None:
    found = throughput(at(100, 100.1, 99.9), at(*b), drift=NO_DRIFT)
    assert (found.verdict, found.label) == (verdict, words)


def test_less_energy_is_better() -> None:
    a, b = (at(100, 100.1, 99.9, readings=[energy(joules)]) for joules in (100.0, 50.0))
    found = only(compare(run(a), run(b, id="B"), drift=NO_DRIFT).comparisons, "energy")
    assert found.ratio == pytest.approx(0.5)
    assert (found.verdict, found.label) == ("better", "less energy")


def test_more_energy_is_worse() -> None:
    a, b = (at(100, 100.1, 99.9, readings=[energy(joules)]) for joules in (100.0, 150.0))
    found = only(compare(run(a), run(b, id="B"), drift=NO_DRIFT).comparisons, "energy")
    assert (found.verdict, found.label, found.regressed) == ("worse", "more energy", True)


def test_threshold_is_each_metrics_own() -> None:
    a, b = at(100, 100.1, 99.9), at(108, 108.1, 107.9)
    assert throughput(a, b, drift=NO_DRIFT).verdict == "better"
    assert throughput(a, b, drift=NO_DRIFT, thresholds={"throughput": 0.1}).verdict == "same"


def test_a_regression_lies_whole_beyond_the_threshold() -> None:
    a = at(100, 100.1, 99.9)
    assert throughput(a, at(80, 80.1, 79.9), drift=NO_DRIFT).regressed
    slight = throughput(a, at(94.9, 95.2, 94.6), drift=NO_DRIFT)
    assert (slight.verdict, slight.regressed) == ("worse", False)
    assert not throughput(a, at(120, 120.1, 119.9), drift=NO_DRIFT).regressed


def test_drift_between_stored_runs_hides_small_and_shows_large() -> None:
    a = at(100, 100.1, 99.9)
    small, large = throughput(a, at(92, 92.1, 91.9)), throughput(a, at(70, 70.1, 69.9))
    assert (small.verdict, small.regressed) == ("inconclusive", False)
    assert (large.verdict, large.regressed) == ("worse", True)
    assert compare(run(a), run(a, id="B")).drift == dict.fromkeys(("throughput", "energy", "first-call"), ASSUMED_DRIFT)


def test_the_assumed_drift_shows_what_its_docstring_says() -> None:
    # Trials that do not vary: half an interval is t(4) x 5 % x sqrt(2); a regression lies beyond 5 % with all of it.
    border = 1.05 * math.exp(stats.t.ppf(0.975, 4) * 0.05 * math.sqrt(2))
    assert border == pytest.approx(1.28, abs=0.01)
    a = at(100, 100, 100)
    for rate in (77, 79):  # 30 % and 27 % more time
        assert throughput(a, at(*[rate] * 3)).regressed is (100 / rate > border)


def test_runs_are_assumed_to_drift_by_what_their_trials_may_vary() -> None:
    rates = (80, 100, 125)
    found = throughput(at(*rates), at(*(rate / 2 for rate in rates)))
    # Logs step by log(1.25): that squared is the variance of a trial, a third of it on either side that of the mean.
    assert found.error is not None
    # Drift is what a trial may vary: the upper 99 % bound of its variance, from the 4 degrees of freedom of both runs.
    most = 4 / stats.chi2.ppf(0.01, 4)
    assert found.error.value == pytest.approx(2 * math.log(1.25) ** 2 * (1 / 3 + most))
    known = throughput(at(*rates), at(*(rate / 2 for rate in rates)), drift=Variance(0.01**2, 9.0))
    assert known.error is not None
    assert known.error.value == pytest.approx(2 * (math.log(1.25) ** 2 / 3 + 0.01**2))


def test_memory_does_not_drift() -> None:
    a = at(100, 100, 100)
    found = only(compare(run(a), run(a, id="B")).comparisons, "memory")
    assert (found.ratio, found.low, found.high, found.verdict) == (1.0, 1.0, 1.0, "same")


def test_one_trial_has_a_ratio_and_no_verdict() -> None:
    found = throughput(at(100), at(50), drift=NO_DRIFT)
    assert (found.ratio, found.low, found.verdict, found.reason) == (
        pytest.approx(0.5),
        None,
        "inconclusive",
        "n=1, no interval",
    )


def test_rounds_of_one_run_cancel_their_drift() -> None:
    # Both frameworks slow down alike from round to round: the ratio is steady though the rates are not.
    torch, tensorflow = at(100, 80, 60, 40), at(121, 96, 72, 48, framework="tensorflow", mode="graph")
    found = compare(run(torch, tensorflow), run(torch, tensorflow), by="framework", metrics=["throughput"])
    one = only(found.comparisons)
    assert one.ratio == pytest.approx(1.2, rel=0.01)
    assert one.verdict == "better"
    assert found.drift == {}
    assert "unlike modes: pytorch eager (eager) and tensorflow graph (graph)" in (one.reason or "")


def test_within_a_run_each_pair_counts_once() -> None:
    cases = [at(100, 101, framework=f, mode=m) for f, m in (("tensorflow", "graph"), ("pytorch", "eager"))]
    file = run(*cases)
    (one,) = compare(file, file, by="framework", metrics=["throughput"]).comparisons
    assert (one.pair.a.framework, one.pair.b.framework) == ("pytorch", "tensorflow")


def test_unlike_work_is_not_compared() -> None:
    a, b = at(100, 101), at(100, 101, workload_version="ffffffffffff")
    found = throughput(a, b)
    assert (found.verdict, found.ratio) == ("not comparable", None)
    assert "the workload changed" in (found.reason or "")


def test_unlike_machines_only_by_machine() -> None:
    other = machine(fingerprint="112233445566", hostname="bench-2")
    a, b = run(at(100, 100.1, 99.9)), run(at(150, 150.1, 149.9), id="B", machine=other)
    found = only(compare(a, b, metrics=["throughput"], drift=NO_DRIFT).comparisons)
    assert found.verdict == "not comparable"
    assert "two machines (bench-1 and bench-2)" in (found.reason or "")
    assert only(compare(a, b, "machine", metrics=["throughput"], drift=NO_DRIFT).comparisons).verdict == "better"


def test_two_boards_sensors_may_disagree() -> None:
    other = machine(fingerprint="112233445566")
    a, b = (at(100, 100, 100, readings=[energy(100.0, gain=0.05)]) for _ in range(2))
    one = only(compare(run(a), run(b, id="B"), metrics=["energy"], drift=NO_DRIFT).comparisons, "energy")
    assert (one.low, one.high) == pytest.approx((1.0, 1.0))
    two = only(
        compare(run(a), run(b, id="B", machine=other), "machine", metrics=["energy"], drift=NO_DRIFT).comparisons,
        "energy",
    )
    assert (two.low, two.high) == pytest.approx((0.95 / 1.05, 1.05 / 0.95))
    assert two.verdict == "inconclusive"


def test_two_nodes_of_one_kind_have_sensors_of_their_own() -> None:
    """Identical nodes have one fingerprint, and RAPL's first package is `package-0` on each."""
    a, b = (at(100, 100, 100, readings=[energy(100.0, gain=0.05)]) for _ in range(2))
    for by in (None, "machine"):
        files = run(a), run(b, id="B", machine=machine(hostname="bench-2"))
        found = only(compare(*files, by, metrics=["energy"], drift=NO_DRIFT).comparisons, "energy")
        assert (found.low, found.high) == pytest.approx((0.95 / 1.05, 1.05 / 0.95))


def test_models_are_not_held_against_measurements() -> None:
    a, b = at(100, 101), at(100, 101, readings=[energy(100.0, kind="model")])
    files = run(a), run(b, id="B")
    found = only(compare(*files, metrics=["energy"]).comparisons, "energy")
    assert (found.verdict, found.reason) == ("not comparable", "one is measured and the other estimated")
    allowed = only(compare(*files, metrics=["energy"], allow_estimates=True).comparisons, "energy")
    assert allowed.ratio is not None
    assert allowed.estimated
    alike = only(compare(run(b), run(b, id="B"), metrics=["energy"]).comparisons, "energy")
    assert alike.estimated
    assert alike.ratio == 1.0


def estimated(rate: float, load: float, **more: object) -> Case:
    """A case under codecarbon's model of a processor of 100 W, whose true energy is 0.70 to 4.88 times as much."""
    power_w = 100 * (0.1 + 0.9 * load**3)
    trials = []
    for number, wobble in enumerate((0.999, 1.0, 1.001), 1):
        reading = energy(2 * power_w * wobble, "cpu", "model")
        joules = reading.energy_j or 0.0
        reading = reading.model_copy(update={"low_j": 0.70 * joules, "high_j": 4.88 * joules})
        trials.append(trial(number, rate, readings=[reading]))
    return case(trials=trials, **more)


def energy_of(a: RunFile, b: RunFile, by: str | None = None) -> Comparison:
    return only(compare(a, b, by, metrics=["energy"], drift=NO_DRIFT).comparisons, "energy")


def test_an_estimate_shows_nothing_between_two_cases() -> None:
    """Of equal speed at loads of 1 and 0.55: a factor of 4 by the model's curve alone, where RAPL may see none."""
    loads = estimated(1000, 1.0), estimated(1000, 0.55, framework="tensorflow", mode="graph")
    file = run(*loads)
    found = energy_of(file, file, "framework")
    assert found.ratio == pytest.approx(0.25, rel=0.01)
    assert (found.low, found.high) == pytest.approx((0.25 * 0.70 / 4.88, 0.25 * 4.88 / 0.70), rel=0.02)
    assert found.verdict == "inconclusive"
    # Nor at equal loads: what a watt of load stands for depends on what the processor does.
    file = run(estimated(1000, 1.0), estimated(800, 1.0, framework="tensorflow", mode="graph"))
    assert energy_of(file, file, "framework").verdict == "inconclusive"
    # Nor on two machines.
    assert (
        energy_of(
            run(estimated(1000, 1.0)), run(estimated(500, 1.0), id="B", machine=machine(hostname="other"))
        ).verdict
        == "inconclusive"
    )


def test_an_estimate_of_one_case_at_one_load_is_as_good_as_its_time() -> None:
    files = run(estimated(1000, 0.9)), run(estimated(800, 0.9), id="B")
    found = energy_of(*files)
    assert (found.low, found.high) == pytest.approx((1.25, 1.25), rel=0.01)
    assert found.verdict == "worse"


@pytest.mark.parametrize("loads", [(1.0, 0.8), (0.8, 1.0)])
def test_where_the_load_changed_an_estimate_may_mean_the_change_of_time_alone(loads: tuple[float, float]) -> None:
    found = energy_of(run(estimated(1000, loads[0])), run(estimated(800, loads[1]), id="B"))
    power = (0.1 + 0.9 * loads[1] ** 3) / (0.1 + 0.9 * loads[0] ** 3)
    assert found.ratio == pytest.approx(1.25 * power)
    assert sorted([1.25, 1.25 * power]) == pytest.approx([found.low, found.high], rel=0.01)


def test_unlike_parts_are_not_held_against_each_other() -> None:
    a = at(100, 101, readings=[energy(90.0), energy(10.0, "dram")])
    b = at(100, 101, readings=[energy(90.0), energy(None, "dram")])
    found = only(compare(run(a), run(b, id="B"), metrics=["energy"]).comparisons, "energy")
    assert found.verdict == "not comparable"
    assert found.reason == "unlike parts were measured: dram, package and package"


def test_failed_and_lost_cases_are_said() -> None:
    ok, failed = at(100, 101), case(trials=[failed_trial()])
    found = throughput(ok, failed)
    assert found.verdict == "not comparable"
    assert "every trial failed" in (found.reason or "")
    extra = at(100, 101, workload="vit")
    result = compare(run(ok, extra), run(ok, id="B"))
    assert (result.only_a, result.only_b) == ((extra.id,), ())


def test_environment_is_told_and_does_not_forbid() -> None:
    a, b = run(at(100, 101)), run(at(100, 101), id="B", machine=machine(packages={"numpy": "2.5.0"}))
    found = compare(a, b, metrics=["throughput"])
    assert found.environment == {"package numpy": ("2.4.6", "2.5.0")}
    assert only(found.comparisons).verdict != "not comparable"


def test_a_runs_own_scratch_directories_are_no_difference() -> None:
    a, b = (
        one.model_copy(update={"run": one.run.model_copy(update={"environment": build({}, 2, Path(scratch)).managed})})
        for one, scratch in ((run(at(100, 101)), "/tmp/a"), (run(at(100, 101), id="B"), "/tmp/b"))
    )
    assert a.run.environment != b.run.environment
    assert compare(a, b, metrics=["throughput"]).environment == {}


def test_unknown_factor_names_the_known() -> None:
    with pytest.raises(UsageError, match=r"unknown factor 'frameworks'\. Did you mean 'framework'\?"):
        compare(run(at(1)), run(at(1)), "frameworks")


def test_cold_first_calls_only() -> None:
    def compiled(*seconds: float) -> Case:
        trials = [
            trial(i, start_s=10.0 * i).model_copy(
                update={"compile_cache": "cold" if i == 1 else "warm", "first_call_s": s}
            )
            for i, s in enumerate(seconds, 1)
        ]
        return case(trials=trials, mode="compile")

    found = only(compare(run(compiled(9.0, 1.0, 1.0)), run(compiled(18.0, 1.0, 1.0), id="B")).comparisons, "first-call")
    assert (found.ratio, found.n, found.verdict) == (pytest.approx(2.0), (1, 1), "inconclusive")


def simulated(random: np.random.Generator, slow: float = 1.0, id: str = "A") -> RunFile:
    """Twelve cases of five trials with 1 to 3 % of noise."""
    cases = []
    for i, sigma in enumerate(np.linspace(0.01, 0.03, 12)):
        rates = 1000 / slow * np.exp(sigma * random.standard_normal(5))
        cases.append(at(*rates.tolist(), workload=f"w{i}"))
    return run(*cases, id=id)


def test_equal_runs_raise_no_alarm_and_slow_ones_do() -> None:
    random = np.random.default_rng(3)
    false = missed = 0
    for _ in range(40):
        base = simulated(random)
        equal = compare(base, simulated(random, id="B"), metrics=["throughput"], drift=NO_DRIFT).comparisons
        slower = compare(base, simulated(random, 1.2, id="B"), metrics=["throughput"], drift=NO_DRIFT).comparisons
        false += sum(one.regressed for one in equal)
        missed += sum(not one.regressed for one in slower)
        for one in (*equal, *slower):
            assert one.low is not None
            assert one.high is not None
            assert one.low <= one.ratio <= one.high
            assert not (one.verdict in {"better", "worse"} and one.low <= 1 <= one.high)
    assert false == 0
    assert missed <= 0.1 * 40 * 12
