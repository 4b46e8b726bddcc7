"""The study of ways to measure: its arithmetic against scipy's, and its kept results against the pool."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from places import ROOT
from scipy import stats

from studies.gate_methods import RULES, Pool, estimate, rates, verdicts
from studies.gate_ways import METHODS, load

KEPT = json.loads((ROOT / "docs" / "results" / "gate-methods.json").read_text())


def test_trimmed_means_and_their_errors_are_scipys() -> None:
    values = np.random.default_rng(1).standard_t(2, (5, 23))
    for trim in (0.0, 0.2):
        centre, error, degrees = estimate(values, trim)
        assert centre == pytest.approx(stats.trim_mean(values, trim, axis=1))
        other = np.zeros_like(values[:1]) + np.linspace(-1e-9, 1e-9, 23)  # a second sample without a spread of its own
        yuen = stats.ttest_ind(values, np.repeat(other, 5, axis=0), axis=1, equal_var=False, trim=trim)
        assert centre / error == pytest.approx(yuen.statistic, rel=1e-6)
        assert degrees == pytest.approx(yuen.df, rel=1e-6)


def test_rates_on_normal_values_are_those_that_are_promised() -> None:
    random = np.random.default_rng(2)
    noise = random.normal(0.0, 0.05, (20_000, 40))
    for rule, most in (("old", 0.002), ("mean", 0.012), ("trimmed", 0.02)):
        regressed, held, used = verdicts(noise, rule)
        assert regressed.mean() <= most, rule
        assert not (regressed & held).any()
        assert used.max() <= 40
    # At the threshold, the old rule alarms in 2.5 %, today's where the interval excludes 0.
    slower = noise + math.log(1.05)
    assert verdicts(slower, "old")[0].mean() == pytest.approx(0.025, abs=0.004)
    assert verdicts(slower, "mean")[0].mean() > 0.9


def test_the_kept_study_is_of_this_pool() -> None:
    sessions = load()
    assert KEPT["sessions"] == [len(session) for session in sessions]
    (pinned,) = (method for method in METHODS if method.name == "pinned, 0.5 s")
    kept = [row for row in KEPT["methods"][pinned.name]["rates"] if row["budget_s"] == 300.0]
    assert {row["rule"] for row in kept} == set(RULES)
    for row in kept:
        again = rates(Pool(sessions), pinned, row["arm"], 300.0, 10_000, row["rule"], 0)
        assert again["regressed"]["rate"] == pytest.approx(row["regressed"]["rate"], abs=1e-9), row
