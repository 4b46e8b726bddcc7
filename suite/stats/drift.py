"""How much a machine drifts from run to run: estimated from separate runs of the same cases, or assumed. Pure.

The model is one of random effects: the log value of a trial = its case + its run + the trial, with one variance for
runs and one for trials. The variance of runs is estimated from unweighted run means, like the variance between studies
in L. V. Hedges, "A random effects model for effect sizes", Psychological Bulletin 93, 1983, pages 388 to 395: the
variance of the run means, less what the variance of their trials contributes to it.

A comparison uses the variance of the run means without that subtraction. With few runs the difference is 0 by chance
too often: simulated comparisons then differ up to 12 % of the time at a nominal 5 % (5 runs of 5 trials that are
noisier than the runs); without the subtraction it is 5 % at most. The price is an interval up to 40 % wider where
nothing drifts, and wider still if those runs had fewer rounds than what is compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final, NamedTuple

from joulemark.suite.records import RunFile
from joulemark.suite.stats.intervals import standard_deviation
from joulemark.suite.stats.metrics import METRICS, Metric
from joulemark.suite.stats.variance import Variance, upper_bound

MIN_RUNS: Final = 5
"""Runs that an estimate needs: with fewer, a variance has too few degrees of freedom to be useful."""
ASSUMED_DRIFT: Final = Variance(0.05**2, MIN_RUNS - 1.0)
"""Variance of a run about the mean of its machine, log scale, where it has not been measured in 5 separate runs: 5 %,
with as few degrees of freedom as an estimate from 5 runs, or more if the trials of a run may vary by more. It hides
small changes between stored runs and shows large ones: a single case is a regression from +30 % on, each of fourteen
from +74 %."""
TRIAL_BOUND_CONFIDENCE: Final = 0.99
"""Confidence of the upper bound on the variance of trials that replaces a smaller assumed drift."""


@dataclass(frozen=True)
class VarianceComponents:
    """Where the noise of a metric comes from, log scale."""

    trials: Variance
    """Between trials (processes) of one run."""
    runs: Variance
    """Of the run means, including what chance in their trials adds: what each of two stored runs adds to the variance
    of their ratio."""
    hedges_estimate: float
    """Hedges' estimate of the variance between runs, not below 0: the likeliest value, not a safe bound."""
    cases: tuple[str, ...]
    """Ids of the cases it is estimated from."""

    @property
    def share_of_runs(self) -> float | None:
        """Share of a single trial's variance that lies between runs; None if nothing varies."""
        total = self.hedges_estimate + self.trials.value
        return self.hedges_estimate / total if total > 0 else None


def assumed_drift(trials: Variance) -> Variance:
    """Return the drift of a machine whose drift is unknown, for runs whose trials have the variance `trials`.

    If trials vary by more than 5 %, so do runs: by as much as trials *may* vary, since a few of them can agree by
    chance, or lie within one bad minute of the machine. On the pool of docs/gate.md, 5 % alone gave false alarms in up
    to 8 % of comparisons, the larger of 5 % and the observed variation in 3.3 % at three rounds, this bound in 0.4 %.
    """
    return replace(ASSUMED_DRIFT, value=max(ASSUMED_DRIFT.value, upper_bound(trials, TRIAL_BOUND_CONFIDENCE)))


def drift_variances(runs: Sequence[RunFile]) -> dict[str, Variance]:
    """Return the drift of the machine of `runs` by metric, without the metrics that too few runs can tell."""
    drifting = [key for key, metric in METRICS.items() if metric.drifts]
    return {key: drift for key in drifting if (drift := estimate_drift(runs, key)) is not None}


def estimate_drift(runs: Sequence[RunFile], metric: str = "throughput") -> Variance | None:
    """Return the variance of a run about the mean of its machine, log scale; None if fewer than 5 runs can tell.

    The degrees of freedom are those of the runs, however many cases they have: what slows
    one case down slows the others down too. A case that is in fewer runs than others counts with its own number.
    """
    estimate = variance_components(runs, metric)
    return estimate.runs if estimate is not None else None


def variance_components(runs: Sequence[RunFile], metric: str = "throughput") -> VarianceComponents | None:
    """Return the variances between trials and between runs; None if fewer than 5 runs share a case.

    Runs made on the machine of the last one count, each once. Of a case, those count that have its workload version
    and framework version in the last run that has it, and at least two trials.
    """
    separate = {run.run.id: run for run in runs if run.machine.fingerprint == runs[-1].machine.fingerprint}
    by_case = trials_by_case(separate.values(), METRICS[metric])
    usable = {key: list(run_logs.values()) for key, run_logs in by_case.items() if len(run_logs) >= MIN_RUNS}
    if not usable:
        return None
    all_logs = [logs for run_logs in usable.values() for logs in run_logs]
    trial_degrees = sum(len(logs) - 1 for logs in all_logs)
    within = math.fsum((len(logs) - 1) * standard_deviation(logs) ** 2 for logs in all_logs) / trial_degrees
    observed = fmean(standard_deviation([fmean(logs) for logs in run_logs]) ** 2 for run_logs in usable.values())
    from_trials = fmean(within * fmean(1 / len(logs) for logs in run_logs) for run_logs in usable.values())
    return VarianceComponents(
        trials=Variance(within, float(trial_degrees)),
        runs=Variance(observed, _degrees([len(run_logs) for run_logs in usable.values()])),
        hedges_estimate=max(0.0, observed - from_trials),
        cases=tuple(key.case for key in usable),
    )


def _degrees(run_counts: Sequence[int]) -> float:
    """Return Satterthwaite's degrees of freedom of a mean of variances, each from so many runs.

    Runs are taken to move all cases alike, and the runs of a case with fewer to be among those of a case with more.
    The covariance of two such variances is then the variance of the one from more runs, 2/(n - 1) of its square.
    """
    return 1 / fmean(1 / (max(first, second) - 1) for first in run_counts for second in run_counts)


class CaseKey(NamedTuple):
    """What is equal for values of two runs that measure the same thing."""

    case: str
    workload_version: str
    framework_version: str


def trials_by_case(runs: Iterable[RunFile], metric: Metric) -> Mapping[CaseKey, Mapping[str, Sequence[float]]]:
    """Return the logs of each run's trials by run id, by case as it is in the last run that has it.

    Runs with fewer than two trials of a case are left out there.
    """
    logs: dict[CaseKey, dict[str, list[float]]] = {}
    newest: dict[str, CaseKey] = {}
    for run in runs:
        for case in run.cases:
            values = metric.values(case)
            if len(values) >= 2:
                framework = run.machine.frameworks.get(case.framework)
                key = CaseKey(case.id, case.workload_version, framework.version if framework is not None else "")
                newest[case.id] = key
                logs.setdefault(key, {})[run.run.id] = [math.log(value) for value in values.values()]
    return {key: logs[key] for key in newest.values()}
