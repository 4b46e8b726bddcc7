"""Drift by the distance of runs and by the hour: by hand, and on simulated machines."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from comparisons import case_with_rates
from run_files import run_file, starting_at

from joulemark.suite.records import RunFile
from joulemark.suite.stats.between_runs.ages import (
    DAY_S,
    DriftAtAge,
    drift_at,
    drift_by_age,
    drifts_between,
    time_of_day,
    variogram,
)
from joulemark.suite.stats.drift import variance_components
from joulemark.suite.stats.intervals import t_quantile
from joulemark.suite.stats.proportion import Proportion


def run_at(started_at: str, log: float) -> RunFile:
    rates = [1e6 * math.exp(log + offset) for offset in (-0.001, 0.001)]
    return starting_at(run_file([case_with_rates(*rates)], id=f"run-{started_at}"), started_at)


def test_half_squares_by_distance_by_hand() -> None:
    logs = {"2026-11-01T08:00:00Z": 0.0, "2026-11-01T08:40:00Z": 0.01, "2026-11-05T08:00:00Z": 0.05}
    near, far = drift_by_age([run_at(at, log) for at, log in logs.items()], "throughput")
    assert (near.apart, near.runs, near.degrees) == ("up to an hour", 2, 1)
    assert near.value == pytest.approx(0.01**2 / 2, rel=1e-3)
    assert (far.apart, far.runs, far.degrees) == ("up to a week", 3, 1)
    assert far.value == pytest.approx((0.05**2 + 0.04**2) / 4, rel=1e-3)


def test_drift_never_falls_with_distance() -> None:
    logs = {"2026-11-01T08:00:00Z": 0.0, "2026-11-01T08:40:00Z": 0.04, "2026-11-05T08:00:00Z": 0.02}
    near, far = drift_by_age([run_at(at, log) for at, log in logs.items()], "throughput")
    assert near.value == far.value == pytest.approx((0.04**2 / 2 + 0.02**2 / 2) / 2, rel=1e-3)


def test_nearest_class_with_enough_runs_tells_else_all_of_them() -> None:
    random = np.random.default_rng(1)
    daily = [run_at(f"2026-11-{day:02d}T08:00:00Z", random.normal(0, 0.01)) for day in range(1, 13)]
    day = drift_at(daily, "throughput", 0.9 * DAY_S)
    assert isinstance(day, DriftAtAge)
    assert (day.apart, day.runs, day.degrees) == ("up to a day", 12, 6)
    assert drift_at(daily, "throughput", 600.0) == day
    month = drift_at(daily, "throughput", 20 * DAY_S)
    assert month == variance_components(daily, "throughput").runs
    assert drift_at(daily[:4], "throughput", DAY_S) is None
    assert drifts_between(daily[:-1], daily[0], daily[-1])["throughput"] != day
    assert set(drifts_between(daily[:-1], daily[-2], daily[-1])) == {"throughput", "energy", "first-call"}


RUNS, SIMULATIONS = 16, 1500


@pytest.mark.slow
@pytest.mark.parametrize("memory", [0.0, 0.8, 1.0])
def test_interval_at_the_age_of_the_baseline_holds(memory: float) -> None:
    """Daily runs of a machine that forgets its state at once, slowly, or never (a random walk)."""
    random = np.random.default_rng(3)
    steps = 0.01 * random.normal(0, 1, (SIMULATIONS, RUNS + 1))
    states = np.zeros_like(steps)
    for i in range(RUNS + 1):
        states[:, i] = (memory * states[:, i - 1] if i else 0) + steps[:, i]
    starts = {str(i): i * DAY_S for i in range(RUNS)}
    held = 0
    for state in (states + 0.003 * random.normal(0, 1, states.shape)).tolist():
        squares = {(str(i), str(j)): (state[i] - state[j]) ** 2 / 2 for i, j in combinations(range(RUNS), 2)}
        drift = variogram(starts, squares)[0]
        half = math.sqrt(2 * drift.value) * t_quantile(0.975, drift.degrees)
        held += abs(state[-1] - state[-2]) <= half
    assert Proportion(held, SIMULATIONS).interval()[1] >= 0.95


def test_swing_with_the_hour_is_recovered_and_noise_has_none() -> None:
    random = np.random.default_rng(5)
    hours = range(0, 24 * 10, 7)
    noise = random.normal(0, 0.005, len(hours))

    def runs(swing: float) -> list[RunFile]:
        return [
            run_at(f"2026-11-{1 + h // 24:02d}T{h % 24:02d}:00:00Z", swing * math.sin(2 * math.pi * h / 24) + noise[i])
            for i, h in enumerate(hours)
        ]

    found, none = time_of_day(runs(0.04), "throughput"), time_of_day(runs(0.0), "throughput")
    assert found is not None
    assert none is not None
    assert found.swing == pytest.approx(0.04, abs=0.004)  # error of an amplitude: sd x sqrt(2/n) = 0.0012
    assert (found.runs, found.p < 1e-6, none.p > 0.01) == (35, True, True)
    assert time_of_day(runs(0.04)[:19], "throughput") is None
    same_hour = [run_at(f"2026-11-{day:02d}T08:00:00Z", float(noise[day])) for day in range(1, 26)]
    assert time_of_day(same_hour, "throughput") is None
