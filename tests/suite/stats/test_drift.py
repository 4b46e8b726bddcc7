"""Drift between runs against simulation and the classical analysis of variance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from run_files import case, energy, machine, run_file, trial
from scipy import stats

from joulemark.suite.records import FrameworkInfo, RunFile
from joulemark.suite.stats.drift import estimate_drift, variance_components

RATE = 1e6
"""Items a second: so many that whole items are exact to a millionth."""


def run(number: int, logs: Sequence[float], workload: str = "cnn", **more: object) -> RunFile:
    """A run of one case whose trials lie `logs` off a common rate."""
    trials = [trial(i, RATE * math.exp(log), start_s=10.0 * i) for i, log in enumerate(logs, 1)]
    return run_file([case(workload, trials=trials)], id=f"run-{number}", **more)


def drawn(runs: int, trials: int, between: float, within: float, seed: int) -> np.ndarray:
    """(runs, trials) of log values with these standard deviations."""
    random = np.random.default_rng(seed)
    return random.normal(0, between, (runs, 1)) + random.normal(0, within, (runs, trials))


def test_both_variances_are_found_again() -> None:
    found = variance_components([run(i, logs) for i, logs in enumerate(drawn(400, 4, 0.04, 0.02, 1))])
    assert found is not None
    # The standard error of a variance from 399 degrees of freedom is 7 % of it.
    assert found.hedges_estimate == pytest.approx(0.04**2, rel=0.22)
    assert found.runs.value == pytest.approx(0.04**2 + 0.02**2 / 4, rel=0.22)
    assert found.trials.value == pytest.approx(0.02**2, rel=0.13)
    assert (found.runs.degrees, found.trials.degrees) == (399, 1200)
    assert found.share_of_runs == pytest.approx(0.8, abs=0.05)


def test_equal_runs_give_the_classical_estimate() -> None:
    logs = drawn(6, 5, 0.05, 0.02, 2)
    found = variance_components([run(i, one) for i, one in enumerate(logs)])
    assert found is not None
    mean_square_between = 5 * np.var(logs.mean(axis=1), ddof=1)
    mean_square_within = np.mean(np.var(logs, axis=1, ddof=1))
    assert found.trials.value == pytest.approx(mean_square_within, rel=1e-3)
    assert found.hedges_estimate == pytest.approx((mean_square_between - mean_square_within) / 5, rel=1e-3)
    assert found.runs.value == pytest.approx(mean_square_between / 5, rel=1e-3)
    assert estimate_drift([run(i, one) for i, one in enumerate(logs)]) == found.runs


def test_no_drift_seen_is_no_proof_of_none() -> None:
    logs = np.tile([-0.03, 0.0, 0.03], (5, 1)) + np.array([[0.0], [0.001], [-0.001], [0.002], [-0.002]])
    found = variance_components([run(i, one) for i, one in enumerate(logs)])
    assert found is not None
    assert found.hedges_estimate == 0.0
    assert found.runs.value == pytest.approx(np.var(logs.mean(axis=1), ddof=1), rel=1e-3)
    assert found.runs.degrees == 4


def test_cases_share_what_they_say_and_not_their_degrees() -> None:
    first, second = drawn(5, 3, 0.05, 0.01, 3), drawn(5, 3, 0.02, 0.01, 4)
    runs = [
        run_file(
            [
                case(name, trials=[trial(i, RATE * math.exp(log)) for i, log in enumerate(logs, 1)])
                for name, logs in (("cnn", one), ("mlp", other))
            ],
            id=f"run-{number}",
        )
        for number, (one, other) in enumerate(zip(first, second, strict=True))
    ]
    found = variance_components(runs)
    alone = [variance_components([run(i, logs) for i, logs in enumerate(values)]) for values in (first, second)]
    assert found is not None
    assert alone[0] is not None
    assert alone[1] is not None
    assert found.hedges_estimate == pytest.approx((alone[0].hedges_estimate + alone[1].hedges_estimate) / 2)
    assert found.runs.degrees == 4
    assert len(found.cases) == 2


@pytest.mark.parametrize("lengths", [[20] + [5] * 9, [20] * 5 + [5] * 5, [5, 8, 13]])
def test_a_case_known_from_many_runs_lends_its_degrees_to_no_other(lengths: list[int]) -> None:
    """Runs that move all cases alike, each case known from the latest few: degrees by the moments of simulated ones."""
    most = max(lengths)
    runs = [
        run_file([case(f"w{i}") for i, length in enumerate(lengths) if number >= most - length], id=f"run-{number}")
        for number in range(most)
    ]
    found = estimate_drift(runs)
    assert found is not None
    random = np.random.default_rng(8)
    effects = random.standard_normal((50_000, most))
    variances = np.mean([effects[:, most - length :].var(axis=1, ddof=1) for length in lengths], axis=0)
    assert found.degrees == pytest.approx(2 / variances.var(), rel=0.05)
    differences = random.standard_normal(50_000) * math.sqrt(2)
    wrong = np.abs(differences) > stats.t.ppf(0.975, found.degrees) * np.sqrt(2 * variances)
    assert wrong.mean() == pytest.approx(0.05, abs=0.005)


def test_five_runs_of_the_same_are_needed() -> None:
    logs = drawn(5, 3, 0.05, 0.01, 5)
    runs = [run(i, one) for i, one in enumerate(logs)]
    assert estimate_drift(runs) is not None
    assert estimate_drift([]) is None
    assert estimate_drift(runs[:4]) is None
    assert estimate_drift([*runs[:4], runs[0]]) is None, "a run counts once"
    elsewhere = run(9, logs[0], machine=machine(fingerprint="another"))
    assert estimate_drift([*runs[:4], elsewhere]) is None
    assert estimate_drift([elsewhere, *runs]) == estimate_drift(runs)
    assert estimate_drift([*runs[:4], run(9, logs[4][:1])]) is None, "one trial has no variance"
    assert estimate_drift([*runs[:4], run(9, logs[4], workload="mlp")]) is None


def test_another_version_is_another_thing() -> None:
    logs = drawn(6, 3, 0.05, 0.01, 6)
    newer = machine(frameworks={"pytorch": FrameworkInfo(version="9.9", python="3.11.7", build="cpu")})
    runs = [run(i, one) for i, one in enumerate(logs[:5])]
    assert estimate_drift([*runs, run(9, logs[5], machine=newer)]) is None
    changed = run_file([case(workload_version="changed")], id="run-9")
    assert estimate_drift([*runs, changed]) is None


def test_energy_has_a_drift_of_its_own() -> None:
    joules = (100.0, 110.0, 121.0, 133.1, 146.41)
    runs = [
        run_file([case(trials=[trial(i, RATE, readings=[energy(j)]) for i in (1, 2)])], id=f"run-{number}")
        for number, j in enumerate(joules)
    ]
    found = estimate_drift(runs, "energy")
    assert found is not None
    # Five equal steps of log 1.1: their variance is 2.5 steps squared.
    assert found.value == pytest.approx(2.5 * math.log(1.1) ** 2, rel=1e-6)
    speed = variance_components(runs)
    assert speed is not None
    assert (speed.runs.value, speed.share_of_runs) == (0.0, None)
