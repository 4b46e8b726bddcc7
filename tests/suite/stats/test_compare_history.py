"""A baseline of several runs, and drift by metric: against closed forms and simulated machines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from comparisons import case_with_rates, only
from run_files import case, energy, run_file, trial
from scipy import stats

from joulemark.suite.records import RunFile
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.drift import ASSUMED_DRIFT, estimate_drift
from joulemark.suite.stats.variance import Variance

DRIFT = Variance(0.03**2, math.inf)


def run(number: int, *rates: float, **fields: object) -> RunFile:
    return run_file([case_with_rates(*rates, **fields)], id=f"run-{number:02d}")


def throughput(a: RunFile, b: RunFile, **options: object) -> Comparison:
    return only(compare(a, b, metrics=["throughput"], **options))


def test_a_baseline_of_three_runs_by_hand() -> None:
    first, second, third = (run(i, rate, rate * 1.02) for i, rate in enumerate((1e5, 1.1e5, 1.21e5), 1))
    b = run(4, 1.2e5, 1.2e5 * 1.02)
    comparison = throughput(third, b, earlier=[first, second], drift=DRIFT)
    # Run means differ by log(1.1) about 1.1e5; each pair of trials is log(1.02) apart: variance log(1.02)^2 / 2.
    assert comparison.ratio == pytest.approx(1.2 / 1.1, rel=1e-4)
    trials = math.log(1.02) ** 2 / 2 * (1 / 2 + (3 / 2) / 9)
    runs = DRIFT.value * (1 + 1 / 3)
    degrees = (trials + runs) ** 2 / (trials**2 / 4)
    half = stats.t.ppf(0.975, degrees) * math.sqrt(trials + runs)
    assert math.log(comparison.high / comparison.ratio) == pytest.approx(half, rel=1e-3)
    assert (comparison.n, comparison.runs) == ((6, 2), 3)
    alone = throughput(third, b, drift=DRIFT)
    assert (alone.n, alone.runs) == ((2, 2), 1)
    assert alone.high / alone.low > comparison.high / comparison.low


def test_other_versions_and_other_sensors_do_not_join_a_baseline() -> None:
    a, b = run(5, 1e5, 1e5), run(6, 1e5, 1e5)
    changed = run(1, 2e5, 2e5, workload_version="ffffffffffff")
    failed = run(2).model_copy(update={"cases": ()})
    assert throughput(a, b, earlier=[changed, failed]).runs == 1
    modelled = run_file(
        [case(trials=[trial(i, 1e5, readings=[energy(70.0, kind="model")]) for i in (1, 2)])], id="run-03"
    )
    result = compare(a, b, earlier=[modelled])
    assert (only(result, "throughput").runs, only(result, "energy").runs) == (2, 1)
    assert only(result, "energy").values[0] == pytest.approx(100.0 / 2e5)


def test_each_metric_has_its_own_drift() -> None:
    result = compare(run(1, 1e5, 1e5), run(2, 1e5, 1e5), drift={"energy": DRIFT})
    assert result.drift == {"throughput": ASSUMED_DRIFT, "energy": DRIFT, "first-call": ASSUMED_DRIFT}
    assert only(result, "energy").drift == DRIFT
    assert only(result, "energy").error.value == pytest.approx(2 * DRIFT.value)
    assert only(result, "throughput").error.value == pytest.approx(2 * ASSUMED_DRIFT.value)
    assert only(result, "memory").drift is None


def test_machine_with_a_known_drift_raises_few_false_alarms() -> None:
    """Eight runs that drift by 3 %, of five trials that vary by 1 %, are the baseline of a ninth that is equal."""
    random = np.random.default_rng(11)
    false_differences = alarms = 0
    for _ in range(80):
        logs = random.normal(0, 0.03, (9, 1)) + random.normal(0, 0.01, (9, 5))
        *history, b = [run(i, *(1e6 * np.exp(run_logs)).tolist()) for i, run_logs in enumerate(logs, 1)]
        drift = estimate_drift(history)
        assert drift is not None
        comparison = throughput(history[-1], b, earlier=history[:-1], drift=drift)
        false_differences += comparison.low > 1 or comparison.high < 1
        alarms += comparison.regressed
    # At most 5 % are expected; more than 10 of 80 would come by chance once in 300 times.
    assert false_differences <= 10
    assert alarms <= 2
    assert stats.binom.sf(10, 80, 0.05) < 1 / 300
