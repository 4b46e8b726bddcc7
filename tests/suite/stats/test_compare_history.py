"""A baseline of several runs, and drift by metric: against closed forms and simulated machines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from run_files import case, energy, run_file, trial
from scipy import stats as reference

from joulemark.suite.records import ArmSettings, RunFile, Settings
from joulemark.suite.results.past_runs import earlier_runs
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.drift import ASSUMED_DRIFT, drift_variances, estimate_drift
from joulemark.suite.stats.variance import Variance

DRIFT = Variance(0.03**2, math.inf)


def run(number: int, *rates: float, **more: object) -> RunFile:
    trials = [trial(i, rate, start_s=10.0 * i) for i, rate in enumerate(rates, 1)]
    made = run_file([case(trials=trials, **more)], id=f"run-{number:02d}")
    started = f"2026-11-{number:02d}T12:00:00Z"
    return made.model_copy(update={"run": made.run.model_copy(update={"started_at": started})})


def throughput(a: RunFile, b: RunFile, **more: object) -> Comparison:
    (found,) = compare(a, b, metrics=["throughput"], **more).comparisons
    return found


def test_a_baseline_of_three_runs_by_hand() -> None:
    first, second, third = (run(i, rate, rate * 1.02) for i, rate in enumerate((1e5, 1.1e5, 1.21e5), 1))
    b = run(4, 1.2e5, 1.2e5 * 1.02)
    found = throughput(third, b, earlier=[first, second], drift=DRIFT)
    # Run means step by log(1.1) about 1.1e5; every pair of trials is log(1.02) apart: variance log(1.02)^2 / 2.
    assert found.ratio == pytest.approx(1.2 / 1.1, rel=1e-4)
    own = math.log(1.02) ** 2 / 2 * (1 / 2 + (3 / 2) / 9)
    between = DRIFT.value * (1 + 1 / 3)
    degrees = (own + between) ** 2 / (own**2 / 4)
    half = reference.t.ppf(0.975, degrees) * math.sqrt(own + between)
    assert math.log(found.high / found.ratio) == pytest.approx(half, rel=1e-3)
    assert (found.n, found.runs) == ((6, 2), 3)
    alone = throughput(third, b, drift=DRIFT)
    assert (alone.n, alone.runs) == ((2, 2), 1)
    assert alone.high / alone.low > found.high / found.low


def test_other_versions_and_other_sensors_do_not_join_a_baseline() -> None:
    a, b = run(5, 1e5, 1e5), run(6, 1e5, 1e5)
    changed = run(1, 2e5, 2e5, workload_version="ffffffffffff")
    failed = run(2).model_copy(update={"cases": ()})
    assert throughput(a, b, earlier=[changed, failed]).runs == 1
    modelled = run_file(
        [case(trials=[trial(i, 1e5, readings=[energy(70.0, kind="model")]) for i in (1, 2)])], id="run-03"
    )
    by_metric = {one.metric.key: one for one in compare(a, b, earlier=[modelled]).comparisons}
    assert (by_metric["throughput"].runs, by_metric["energy"].runs) == (2, 1)
    assert by_metric["energy"].values[0] == pytest.approx(100.0 / 2e5)


def test_drift_is_each_metrics_own() -> None:
    found = compare(run(1, 1e5, 1e5), run(2, 1e5, 1e5), drift={"energy": DRIFT})
    by_metric = {one.metric.key: one for one in found.comparisons}
    assert found.drift == {"throughput": ASSUMED_DRIFT, "energy": DRIFT, "first-call": ASSUMED_DRIFT}
    assert by_metric["energy"].drift == DRIFT
    assert by_metric["energy"].error.value == pytest.approx(2 * DRIFT.value)
    assert by_metric["throughput"].error.value == pytest.approx(2 * ASSUMED_DRIFT.value)
    assert by_metric["memory"].drift is None


def test_known_machines_with_a_history_raise_few_false_alarms() -> None:
    """Eight runs that drift by 3 %, of five trials that vary by 1 %: nine of ten are known, none differ."""
    random = np.random.default_rng(11)
    wrong = alarms = 0
    for _ in range(80):
        logs = random.normal(0, 0.03, (9, 1)) + random.normal(0, 0.01, (9, 5))
        *history, b = [run(i, *(1e6 * np.exp(one)).tolist()) for i, one in enumerate(logs, 1)]
        measured = estimate_drift(history)
        assert measured is not None
        found = throughput(history[-1], b, earlier=history[:-1], drift=measured)
        wrong += found.low > 1 or found.high < 1
        alarms += found.regressed
    # 5 % are expected at most; more than 10 of 80 would be chance once in 300 times.
    assert wrong <= 10
    assert alarms <= 2
    assert reference.binom.sf(10, 80, 0.05) < 1 / 300


def test_five_runs_make_a_drift() -> None:
    random = np.random.default_rng(2)
    runs = [run(i, *(1e6 * np.exp(random.normal(0, 0.02) + random.normal(0, 0.01, 4))).tolist()) for i in range(1, 6)]
    assert drift_variances(runs[:4]) == {}
    found = drift_variances(runs)
    assert set(found) == {"throughput", "energy", "first-call"}
    assert found["throughput"] == estimate_drift(runs)
    assert found["throughput"].degrees == 4


def test_what_went_before_has_the_same_selection() -> None:
    runs = [run(i, 1e5, 1e5) for i in range(1, 6)]
    other = runs[1].model_copy(update={"settings": Settings(zone="CH", workload=("cnn",))})
    found = earlier_runs(runs[3], [runs[0], other, runs[2], runs[4]])
    assert [one.run.id for one in found] == ["run-01", "run-03"]


def test_runs_that_share_no_case_are_no_baseline() -> None:
    plain, last = run(1, 1e5, 1e5), run(3, 1e5, 1e5)
    other = [
        run(2, 1e5, 1e5).model_copy(update={"settings": plain.settings.model_copy(update=update)})
        for update in ({"threads": 1}, {"allocator": "default"}, {"arms": {"a": ArmSettings(mode="eager")}})
    ]
    assert [one.run.id for one in earlier_runs(last, [plain, *other])] == ["run-01"]
