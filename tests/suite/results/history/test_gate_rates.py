"""What `history --gate` says of simulated repositories: their changes are planted, and their noise is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from comparisons import case_with_rates
from run_files import run_file, starting_at
from scipy import stats

from joulemark.suite.records import RunFile
from joulemark.suite.results.history.checks import Check, check_of, keep, kept_checks
from joulemark.suite.results.history.gate_rates import GateHistory, gate_history
from joulemark.suite.results.history.rows import rows
from joulemark.suite.results.history.series import series
from joulemark.suite.stats.compare import compare
from joulemark.suite.stats.gate import evaluate
from joulemark.suite.stats.proportion import Proportion
from joulemark.suite.stats.thresholds import Thresholds
from joulemark.suite.stats.variance import Variance

RUN_SD, TRIAL_SD = 0.015, 0.001
DRIFT = Variance(RUN_SD**2, math.inf)
THRESHOLDS = Thresholds({"throughput": 0.05})
SLOWDOWN = 0.07
EVERY = 24
"""Runs between two planted slowdowns that stay; half-way between them is one run that is slow alone."""
REPOSITORIES, RUNS = 4, 9 * EVERY


def run_at(number: int, level: float, random: np.random.Generator) -> RunFile:
    """Return a run that was made `number` hours after the first, with three trials around exp(`level`)."""
    logs = level + random.normal(0, RUN_SD) + random.normal(0, TRIAL_SD, 3)
    made = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=number)
    run = run_file([case_with_rates(*(1e6 * np.exp(logs)))], id=f"{made:%Y%m%dT%H%M%SZ}-{number:04x}")
    return starting_at(run, made.isoformat())


def checked(a: RunFile, b: RunFile) -> Check:
    result = compare(a, b, thresholds=THRESHOLDS, metrics=["throughput"], drift=DRIFT)
    return check_of(a, b, result, evaluate(result, a, b, THRESHOLDS))


@dataclass(frozen=True)
class Repository:
    steps: frozenset[str]
    """Ids of the runs where a slowdown that stays begins."""
    outliers: frozenset[str]
    """Ids of the runs that are slow alone."""
    history: GateHistory


def repository(seed: int) -> Repository:
    """Return a repository of which each run is checked against the run before it, a slow one against the last good."""
    random = np.random.default_rng(seed)
    steps = set(range(EVERY, RUNS - EVERY, EVERY))
    outliers = {number + EVERY // 2 for number in steps}
    slowdown = math.log1p(SLOWDOWN)
    runs = [run_at(n, -slowdown * (sum(step <= n for step in steps) + (n in outliers)), random) for n in range(RUNS)]
    checks = [checked(runs[n - 2 if n - 1 in outliers else n - 1], runs[n]) for n in range(1, RUNS)]
    ids = [{runs[n].run.id for n in numbers} for numbers in (steps, outliers)]
    return Repository(frozenset(ids[0]), frozenset(ids[1]), gate_history(checks, series_of(runs)))


def series_of(runs: Sequence[RunFile]):
    return series((row for run in runs for row in rows(run)), ["throughput"])


@pytest.fixture(scope="module")
def repositories() -> list[Repository]:
    return [repository(seed) for seed in range(REPOSITORIES)]


def contains(share: Proportion, truth: float) -> bool:
    low, high = share.interval()
    return low <= truth <= high


@pytest.mark.slow
def test_alarms_are_as_frequent_as_the_noise_says(repositories: list[Repository]) -> None:
    # Known noise: the log ratio is normal, and alarms beyond 1.96 of its errors, which are more than half of 5 %.
    error = math.sqrt(2 * (RUN_SD**2 + TRIAL_SD**2 / 3))
    power, false = (float(stats.norm.cdf(shift / error - 1.96)) for shift in (math.log1p(SLOWDOWN), 0.0))
    alarms = [{alarm.run for alarm in each.history.alarms} for each in repositories]
    planted = [each.steps | each.outliers for each in repositories]
    seen = Proportion(sum(len(a & p) for a, p in zip(alarms, planted, strict=True)), sum(map(len, planted)))
    others = Proportion(
        sum(len(a - p) for a, p in zip(alarms, planted, strict=True)), REPOSITORIES * (RUNS - 1) - seen.of
    )
    assert contains(seen, power), (seen, power)
    assert contains(others, false), (others, false)
    for each, repository_alarms in zip(repositories, alarms, strict=True):
        (rates,) = each.history.cases
        assert (each.history.regression, rates.regressed.count) == (rates.regressed, len(repository_alarms))
        assert rates.held.count + rates.in_doubt.count + rates.regressed.count == each.history.checks == RUNS - 1
        assert rates.smallest_alarm == pytest.approx(math.expm1((1.96 + 0.8416) * error), rel=0.01)


@pytest.mark.slow
def test_later_runs_confirm_what_stayed_and_only_that(repositories: list[Repository]) -> None:
    follow_ups: dict[str, list[str]] = {"steps": [], "outliers": [], "others": []}
    for each in repositories:
        for alarm in each.history.alarms:
            kind = "steps" if alarm.run in each.steps else "outliers" if alarm.run in each.outliers else "others"
            follow_ups[kind].append(alarm.follow_up)
    assert set(follow_ups["steps"]) == {"confirmed"}
    # The level after an outlier is compared at 95 %: as often as that, it is called worse by chance.
    returned = Proportion(follow_ups["outliers"].count("returned"), len(follow_ups["outliers"]))
    assert contains(returned, 0.975), returned


@pytest.mark.slow
def test_changes_without_an_alarm_are_listed(repositories: list[Repository]) -> None:
    missed = []
    for each in repositories:
        assert len(each.history.changes) == len(each.steps)
        unseen = [seen for seen in each.history.changes if not seen.alarmed]
        # An alarm in the two runs before a step counts for it, since change points are placed that exactly at best.
        assert {seen.change.point.run for seen in unseen} <= each.steps - {alarm.run for alarm in each.history.alarms}
        missed += unseen
    assert missed
    assert all(seen.change.change_point.ratio == pytest.approx(1 / (1 + SLOWDOWN), abs=0.02) for seen in missed)


def test_alarm_with_few_later_runs_is_open() -> None:
    random = np.random.default_rng(1)
    runs = [run_at(n, 0.0, random) for n in range(6)] + [run_at(n, -0.3, random) for n in range(6, 9)]
    check = checked(runs[5], runs[6])
    (early,) = gate_history([check], series_of(runs)).alarms
    (late,) = gate_history([check], series_of([*runs, run_at(9, -0.3, random)])).alarms
    gone = gate_history([check], series_of(runs[:6])).alarms
    assert [early.follow_up, late.follow_up, *(each.follow_up for each in gone)] == ["open", "confirmed", "open"]


def test_kept_checks_are_read_back_and_the_latest_of_each_baseline_counts(tmp_path) -> None:
    random = np.random.default_rng(2)
    first, second, third = (run_at(n, 0.0, random) for n in range(3))
    path = tmp_path / f"{third.run.id}.json"
    for a in (first, second, first):
        keep(path, checked(a, third))
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open("a") as lines:
        lines.write('{"run": "cut o\n')
    checks, damaged = kept_checks(tmp_path)
    assert damaged == 1
    assert sorted(check.baseline for check in checks) == [first.run.id, second.run.id]
    assert checks[0] in (checked(first, third), checked(second, third))
