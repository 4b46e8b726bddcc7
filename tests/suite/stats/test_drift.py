"""Drift between runs against simulation and the classical analysis of variance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from comparisons import case_with_rates
from run_files import case, energy, machine, run_file
from scipy import stats

from joulemark.suite.records import FrameworkInfo, RunFile
from joulemark.suite.stats.drift import drift_variances, estimate_drift, variance_components

RATE = 1e6
"""Items a second: so many that whole items are exact to a millionth."""


def run(number: int, *logs_by_case: Sequence[float], **fields: object) -> RunFile:
    """Return a run whose cases have trials at RATE x exp(log)."""
    rates = [[RATE * math.exp(log) for log in logs] for logs in logs_by_case]
    cases = [case_with_rates(*values, workload=f"w{i}") for i, values in enumerate(rates)]
    return run_file(cases, id=f"run-{number}", **fields)


def runs_of(logs: np.ndarray) -> list[RunFile]:
    return [run(number, run_logs) for number, run_logs in enumerate(logs)]


def simulated_logs(runs: int, trials: int, run_sd: float, trial_sd: float, seed: int) -> np.ndarray:
    """Return log values (runs, trials) with these standard deviations."""
    random = np.random.default_rng(seed)
    return random.normal(0, run_sd, (runs, 1)) + random.normal(0, trial_sd, (runs, trials))


def test_both_variances_are_recovered() -> None:
    components = variance_components(runs_of(simulated_logs(400, 4, 0.04, 0.02, 1)))
    assert components is not None
    # The standard error of a variance from 399 degrees of freedom is 7 % of it.
    assert components.hedges_estimate == pytest.approx(0.04**2, rel=0.22)
    assert components.runs.value == pytest.approx(0.04**2 + 0.02**2 / 4, rel=0.22)
    assert components.trials.value == pytest.approx(0.02**2, rel=0.13)
    assert (components.runs.degrees, components.trials.degrees) == (399, 1200)
    assert components.share_of_runs == pytest.approx(0.8, abs=0.05)


def test_balanced_runs_give_the_classical_estimate() -> None:
    logs = simulated_logs(6, 5, 0.05, 0.02, 2)
    components = variance_components(runs_of(logs))
    assert components is not None
    mean_square_between = 5 * np.var(logs.mean(axis=1), ddof=1)
    mean_square_within = np.mean(np.var(logs, axis=1, ddof=1))
    assert components.trials.value == pytest.approx(mean_square_within, rel=1e-3)
    assert components.hedges_estimate == pytest.approx((mean_square_between - mean_square_within) / 5, rel=1e-3)
    assert components.runs.value == pytest.approx(mean_square_between / 5, rel=1e-3)
    assert estimate_drift(runs_of(logs)) == components.runs


def test_an_estimate_of_zero_does_not_remove_the_variance_of_run_means() -> None:
    logs = np.tile([-0.03, 0.0, 0.03], (5, 1)) + np.array([[0.0], [0.001], [-0.001], [0.002], [-0.002]])
    components = variance_components(runs_of(logs))
    assert components is not None
    assert components.hedges_estimate == 0.0
    assert components.runs.value == pytest.approx(np.var(logs.mean(axis=1), ddof=1), rel=1e-3)
    assert components.runs.degrees == 4


def test_more_cases_do_not_add_degrees_of_freedom() -> None:
    first, second = simulated_logs(5, 3, 0.05, 0.01, 3), simulated_logs(5, 3, 0.02, 0.01, 4)
    both = variance_components([run(i, a, b) for i, (a, b) in enumerate(zip(first, second, strict=True))])
    single = [variance_components(runs_of(logs)) for logs in (first, second)]
    assert both is not None
    assert single[0] is not None
    assert single[1] is not None
    assert both.hedges_estimate == pytest.approx((single[0].hedges_estimate + single[1].hedges_estimate) / 2)
    assert both.runs.degrees == 4
    assert len(both.cases) == 2


@pytest.mark.parametrize("run_counts", [[20] + [5] * 9, [20] * 5 + [5] * 5, [5, 8, 13]])
def test_cases_in_fewer_runs_reduce_the_degrees_of_freedom(run_counts: list[int]) -> None:
    """Runs that move all cases alike, each case in the latest few: degrees by the moments of simulated variances."""
    total = max(run_counts)
    runs = [
        run_file([case(f"w{i}") for i, count in enumerate(run_counts) if number >= total - count], id=f"run-{number}")
        for number in range(total)
    ]
    drift = estimate_drift(runs)
    assert drift is not None
    random = np.random.default_rng(8)
    effects = random.standard_normal((50_000, total))
    variances = np.mean([effects[:, total - count :].var(axis=1, ddof=1) for count in run_counts], axis=0)
    assert drift.degrees == pytest.approx(2 / variances.var(), rel=0.05)
    differences = random.standard_normal(50_000) * math.sqrt(2)
    rejected = np.abs(differences) > stats.t.ppf(0.975, drift.degrees) * np.sqrt(2 * variances)
    assert rejected.mean() == pytest.approx(0.05, abs=0.005)


LOGS = simulated_logs(6, 3, 0.05, 0.01, 5)
RUNS = runs_of(LOGS[:5])
ELSEWHERE = run(9, LOGS[0], machine=machine(fingerprint="another"))
NEWER = machine(frameworks={"pytorch": FrameworkInfo(version="9.9", python="3.11.7", build="cpu")})


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param([], id="none"),
        pytest.param(RUNS[:4], id="four"),
        pytest.param([*RUNS[:4], RUNS[0]], id="one of them twice"),
        pytest.param([*RUNS[:4], ELSEWHERE], id="one on another machine"),
        pytest.param([*RUNS[:4], run(9, LOGS[4][:1])], id="one with a single trial"),
        pytest.param([*RUNS[:4], run_file([case("other")], id="run-9")], id="one of another case"),
        pytest.param([*RUNS, run(9, LOGS[5], machine=NEWER)], id="the last with another framework version"),
        pytest.param([*RUNS, run_file([case("w0", workload_version="changed")], id="run-9")], id="another workload"),
    ],
)
def test_fewer_than_five_equal_runs_give_no_estimate(runs: list[RunFile]) -> None:
    assert estimate_drift(RUNS) is not None
    assert estimate_drift(runs) is None


def test_runs_of_another_machine_are_ignored() -> None:
    assert estimate_drift([ELSEWHERE, *RUNS]) == estimate_drift(RUNS)


def test_energy_has_its_own_drift() -> None:
    joules = (100.0, 110.0, 121.0, 133.1, 146.41)
    runs = [
        run_file([case_with_rates(RATE, RATE, readings=[energy(energy_j)])], id=f"run-{number}")
        for number, energy_j in enumerate(joules)
    ]
    drift = estimate_drift(runs, "energy")
    assert drift is not None
    # Five equal steps of log 1.1: their variance is 2.5 steps squared.
    assert drift.value == pytest.approx(2.5 * math.log(1.1) ** 2, rel=1e-6)
    throughput = variance_components(runs)
    assert throughput is not None
    assert (throughput.runs.value, throughput.share_of_runs) == (0.0, None)


def test_drift_variances_are_of_the_metrics_that_drift() -> None:
    assert drift_variances(RUNS[:4]) == {}
    variances = drift_variances(RUNS)
    assert variances.keys() == {"throughput", "energy", "first-call"}
    assert variances["throughput"] == estimate_drift(RUNS)
