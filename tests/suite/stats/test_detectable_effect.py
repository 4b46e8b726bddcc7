"""Detectable effects against simulated comparisons."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from comparisons import case_with_rates
from run_files import run_file
from scipy import stats

from joulemark.suite.records import RunFile
from joulemark.suite.stats.detectable_effect import ROUNDS, calibrate, detectable_effect, self_comparison
from joulemark.suite.stats.variance import Variance

TRIAL_SD, RUN_SD = 0.02, 0.03
TRIALS = Variance(TRIAL_SD**2, 50.0)
SIMULATIONS = 40_000


@pytest.mark.parametrize("rounds", [5, 10, 30])
def test_power_of_arms_measured_turn_by_turn(rounds: int) -> None:
    effect = detectable_effect(TRIALS, rounds)
    random = np.random.default_rng(rounds)
    differences = random.normal(0, TRIAL_SD * math.sqrt(2), (SIMULATIONS, rounds))
    mean = differences.mean(axis=1)
    half, gate_half = (stats.t.ppf(p, rounds - 1) * stats.sem(differences, axis=1) for p in (0.975, 0.99))
    threshold = math.log1p(effect.threshold)
    threshold, slower = math.log1p(effect.threshold), mean + math.log1p(effect.fires_at)
    assert np.mean(mean + math.log1p(effect.told_apart) - half > 0) == pytest.approx(0.8, abs=0.008)
    assert np.mean(slower - gate_half > 0) == pytest.approx(0.8, abs=0.008)
    assert np.mean((slower - gate_half > 0) & (slower + gate_half > threshold)) >= 0.7
    assert np.mean(mean + gate_half <= threshold) == pytest.approx(0.95, abs=0.005)


def test_power_against_a_stored_run_includes_drift() -> None:
    rounds, runs = 10, 6
    effect = detectable_effect(TRIALS, rounds, Variance(RUN_SD**2, runs - 1.0))
    random = np.random.default_rng(7)
    arms = random.normal(0, RUN_SD, (2, SIMULATIONS, 1)) + random.normal(0, TRIAL_SD, (2, SIMULATIONS, rounds))
    difference = arms[1].mean(axis=1) - arms[0].mean(axis=1)
    of_trials = (arms[0].var(axis=1, ddof=1) + arms[1].var(axis=1, ddof=1)) / rounds
    of_runs = 2 * RUN_SD**2 * random.chisquare(runs - 1, SIMULATIONS) / (runs - 1)  # estimated from six runs only
    error = of_trials + of_runs
    degrees = error**2 / (of_trials**2 / (2 * (rounds - 1)) + of_runs**2 / (runs - 1))
    half = np.sqrt(error) * stats.t.ppf(0.975, degrees)
    assert np.mean(difference + math.log1p(effect.told_apart) - half > 0) == pytest.approx(0.8, abs=0.03)
    assert effect.told_apart > detectable_effect(TRIALS, rounds).told_apart


def test_more_rounds_detect_less_but_drift_remains() -> None:
    drift = Variance(RUN_SD**2, 9.0)
    turn_by_turn = [detectable_effect(TRIALS, rounds) for rounds in ROUNDS]
    stored = [detectable_effect(TRIALS, rounds, drift) for rounds in ROUNDS]
    for effects in (turn_by_turn, stored):
        assert all(a.told_apart > b.told_apart for a, b in itertools.pairwise(effects))
        assert all(effect.told_apart < effect.fires_at < effect.threshold for effect in effects)
    # With any number of rounds, a drift of 9 degrees of freedom in both runs remains.
    limit = math.log1p(detectable_effect(TRIALS, 10**6, drift).told_apart) / (math.sqrt(2) * RUN_SD)
    assert stats.nct.sf(stats.t.ppf(0.975, 9), 9, limit) == pytest.approx(0.8, abs=1e-4)


def test_one_round_is_refused() -> None:
    with pytest.raises(ValueError, match="1 rounds"):
        detectable_effect(TRIALS, 1)


def simulated_runs(count: int, seed: int = 1) -> list[RunFile]:
    random = np.random.default_rng(seed)
    logs = random.normal(0, RUN_SD, (count, 1)) + random.normal(0, TRIAL_SD, (count, 4))
    rates = (1e6 * np.exp(logs)).tolist()
    return [run_file([case_with_rates(*run_rates)], id=f"run-{number}") for number, run_rates in enumerate(rates)]


def test_calibration_of_a_known_machine() -> None:
    calibration = calibrate(simulated_runs(200), "throughput")
    assert calibration is not None
    assert calibration.runs == 200
    assert [effect.rounds for effect in calibration.turn_by_turn] == list(ROUNDS)
    at_ten = dict(zip(ROUNDS, calibration.stored, strict=True))[10]
    expected = detectable_effect(Variance(TRIAL_SD**2, 600.0), 10, Variance(RUN_SD**2 + TRIAL_SD**2 / 4, 199.0))
    assert at_ten.told_apart == pytest.approx(expected.told_apart, rel=0.1)


def test_four_runs_give_no_calibration() -> None:
    assert calibrate(simulated_runs(4), "throughput") is None


def test_equal_runs_hardly_ever_differ() -> None:
    runs = simulated_runs(60, seed=3)
    calibration = calibrate(runs, "throughput")
    assert calibration is not None
    verdicts = self_comparison(runs, "throughput", calibration.components.runs)
    assert sum(verdicts.values()) - verdicts["regressed"] == 59
    assert verdicts["differs"] <= 8, "5 % of 59 are 3; 9 or more come once in 500 times"
    without_drift = self_comparison(runs, "throughput", Variance(0.0, math.inf))
    assert without_drift["differs"] > 20, "runs differ by drift"
