"""What a machine is said to tell apart, against simulation of such comparisons."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from run_files import case, run_file, trial
from scipy import stats as reference

from joulemark.suite.records import RunFile
from joulemark.suite.stats.detectable_effect import ROUNDS, calibrate, detectable_effect, self_comparison
from joulemark.suite.stats.variance import Variance

TRIALS, RUNS = 0.02, 0.03
MANY = 40_000


@pytest.mark.parametrize("rounds", [5, 10, 30])
def test_turn_by_turn_does_what_it_says(rounds: int) -> None:
    said = detectable_effect(Variance(TRIALS**2, 50.0), rounds)
    random = np.random.default_rng(rounds)
    differences = random.normal(0, TRIALS * math.sqrt(2), (MANY, rounds))
    mean = differences.mean(axis=1)
    half = reference.t.ppf(0.975, rounds - 1) * reference.sem(differences, axis=1)
    seen, fired = (mean + math.log1p(x) - half for x in (said.told_apart, said.fires_at))
    # Power at an effect is that of the noncentral t; the central one is 0.01 off at 5 rounds.
    assert np.mean(seen > 0) == pytest.approx(0.8, abs=0.015)
    assert np.mean(fired > math.log1p(said.threshold)) == pytest.approx(0.8, abs=0.015)
    assert 0.945 <= np.mean(np.abs(mean) + half <= math.log1p(said.threshold)) <= 0.97


def test_a_kept_run_has_drift_in_it() -> None:
    rounds, runs = 10, 6
    drift = Variance(RUNS**2, runs - 1.0)
    said = detectable_effect(Variance(TRIALS**2, 50.0), rounds, drift)
    random = np.random.default_rng(7)
    ends = random.normal(0, RUNS, (2, MANY, 1)) + random.normal(0, TRIALS, (2, MANY, rounds))
    difference = ends[1].mean(axis=1) - ends[0].mean(axis=1)
    own = (ends[0].var(axis=1, ddof=1) + ends[1].var(axis=1, ddof=1)) / rounds
    known = RUNS**2 * random.chisquare(runs - 1, MANY) / (runs - 1)  # drift is known from six runs only
    error = own + 2 * known
    degrees = error**2 / (own**2 / (2 * (rounds - 1)) + (2 * known) ** 2 / (runs - 1))
    half = np.sqrt(error) * reference.t.ppf(0.975, degrees)
    assert np.mean(difference + math.log1p(said.told_apart) - half > 0) == pytest.approx(0.8, abs=0.03)
    assert said.told_apart > detectable_effect(Variance(TRIALS**2, 50.0), rounds).told_apart


def test_more_rounds_reach_further_and_drift_does_not_go_away() -> None:
    drift = Variance(RUNS**2, 9.0)
    alone = [detectable_effect(Variance(TRIALS**2, 50.0), rounds) for rounds in ROUNDS]
    stored = [detectable_effect(Variance(TRIALS**2, 50.0), rounds, drift) for rounds in ROUNDS]
    for found in (alone, stored):
        assert all(a.told_apart > b.told_apart for a, b in itertools.pairwise(found))
        assert all(one.told_apart < one.threshold < one.fires_at for one in found)
    # However many rounds: 9 degrees of freedom of a drift on either side are left.
    least = math.sqrt(2) * RUNS * (reference.t.ppf(0.975, 9) + reference.t.ppf(0.8, 9))
    forever = detectable_effect(Variance(TRIALS**2, 50.0), 10**6, drift).told_apart
    assert forever == pytest.approx(math.expm1(least), rel=1e-4)
    with pytest.raises(ValueError, match="1 rounds"):
        detectable_effect(Variance(TRIALS**2, 50.0), 1)


def runs(count: int, seed: int = 1) -> list[RunFile]:
    random = np.random.default_rng(seed)
    logs = random.normal(0, RUNS, (count, 1)) + random.normal(0, TRIALS, (count, 4))
    return [
        run_file([case(trials=[trial(i, 1e6 * math.exp(log)) for i, log in enumerate(one, 1)])], id=f"run-{number}")
        for number, one in enumerate(logs)
    ]


def test_runs_of_a_known_machine() -> None:
    found = calibrate(runs(200), "throughput")
    assert found is not None
    assert found.runs == 200
    assert [one.rounds for one in found.turn_by_turn] == list(ROUNDS)
    at_ten = dict(zip(ROUNDS, found.stored, strict=True))[10]
    expected = detectable_effect(Variance(TRIALS**2, 600.0), 10, Variance(RUNS**2 + TRIALS**2 / 4, 199.0))
    assert at_ten.told_apart == pytest.approx(expected.told_apart, rel=0.1)
    assert calibrate(runs(4), "throughput") is None


def test_the_same_is_hardly_ever_told_apart_from_itself() -> None:
    kept = runs(60, seed=3)
    found = calibrate(kept, "throughput")
    assert found is not None
    verdicts = self_comparison(kept, "throughput", found.components.runs)
    assert sum(verdicts.values()) - verdicts["regressed"] == 59
    assert verdicts["differs"] <= 8, "5 % of 59 are 3; 9 or more come once in 500 times"
    blind = self_comparison(kept, "throughput", Variance(0.0, math.inf))
    assert blind["differs"] > 20, "drift is what the difference is"
