"""How much a machine drifts from run to run, estimated from separate runs of the same cases. Pure.

The model is the random effects one: log value of a trial = its case + its run + the trial, with a variance for the run
and one for the trial. The run's is estimated from unweighted means of runs, as the variance between studies is by
L. V. Hedges, "A random effects model for effect sizes", Psychological Bulletin 93, 1983, pages 388 to 395: variance of
the runs' means, less what their trials alone would make of it.

A comparison takes the variance of the means as it is. From few runs the difference is 0 by chance too often: with it,
comparisons of simulated runs differ up to 12 % of the time at a nominal 5 % (5 runs of 5 trials that are noisier than
runs), without the subtraction 5 % at most. The price is an interval wider by up to 40 % where nothing drifts, and more
where the runs had fewer rounds than what is compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.intervals import standard_deviation
from joulemark.suite.stats.metrics import METRICS, Metric
from joulemark.suite.stats.variance import Variance

MIN_RUNS: Final = 5
"""Runs that an estimate needs; with fewer, a variance of so few degrees of freedom says nothing."""


@dataclass(frozen=True)
class VarianceComponents:
    """Where the noise of a metric comes from, log scale."""

    trials: Variance
    """Between trials (processes) of one run."""
    runs: Variance
    """Of the means of runs, what chance of their trials makes of it included: what a comparison with a stored run adds,
    for each of the two."""
    hedges_estimate: float
    """Hedges' estimate of the variance between runs, not below 0: what is likeliest, and no safe bound."""
    cases: tuple[str, ...]
    """Ids of the cases it rests on."""

    @property
    def share_of_runs(self) -> float | None:
        """Part of the variance of a single trial that lies between runs; None where nothing varies."""
        total = self.hedges_estimate + self.trials.value
        return self.hedges_estimate / total if total > 0 else None


def estimate_drift(runs: Sequence[RunFile], metric: str = "throughput") -> Variance | None:
    """The variance of a run about the mean of its machine, log scale; None where fewer than 5 runs can tell.

    `metric`: a key of METRICS. Degrees of freedom are those of the runs, however many cases they have: what slows one
    case down slows the others down with it. Cases that are in fewer runs than others count with theirs.
    """
    found = variance_components(runs, metric)
    return found.runs if found is not None else None


def variance_components(runs: Sequence[RunFile], metric: str = "throughput") -> VarianceComponents | None:
    """Variance between trials and between runs; None where fewer than 5 runs of any case can tell.

    Runs count that were made on the machine of the last one, each once; of a case, those with its workload version and
    framework version in that run, and with at least two trials.
    """
    separate = {run.run.id: run for run in runs if run.machine.fingerprint == runs[-1].machine.fingerprint}
    alike = _alike(list(separate.values()), METRICS[metric])
    usable = {case: means for case, means in alike.items() if len(means) >= MIN_RUNS}
    if not usable:
        return None
    squares = math.fsum((len(one) - 1) * standard_deviation(one) ** 2 for logs in usable.values() for one in logs)
    trial_degrees = sum(len(one) - 1 for logs in usable.values() for one in logs)
    within = squares / trial_degrees
    seen = [standard_deviation([_mean(one) for one in logs]) ** 2 for logs in usable.values()]
    expected = [within * _mean([1 / len(one) for one in logs]) for logs in usable.values()]
    return VarianceComponents(
        trials=Variance(within, float(trial_degrees)),
        runs=Variance(_mean(seen), _degrees([len(logs) for logs in usable.values()])),
        hedges_estimate=max(0.0, _mean(seen) - _mean(expected)),
        cases=tuple(case for case, _, _ in usable),
    )


def _degrees(lengths: Sequence[int]) -> float:
    """Satterthwaite's for the mean of variances that are each known from so many runs.

    Runs are taken to move all cases alike, and what fewer runs have to be part of what more have: the covariance of two
    such variances is then the variance of the one from more runs, 2/(n - 1) of its square.
    """
    shares = [1 / (max(one, other) - 1) for one in lengths for other in lengths]
    return 1 / _mean(shares)


_Key = tuple[str, str, str]
"""Case id, workload version, framework version: what must be equal for values of two runs to be of the same thing."""


def _alike(runs: Sequence[RunFile], metric: Metric) -> Mapping[_Key, list[list[float]]]:
    """Logs of the trials' values, one list a run, of each case as it is in the last run that has it."""
    found: dict[_Key, list[list[float]]] = {}
    newest: dict[str, _Key] = {}
    for run in runs:
        for case in run.cases:
            values = metric.values(case)
            if len(values) >= 2:
                key = newest[case.id] = _key(run, case)
                found.setdefault(key, []).append([math.log(value) for value in values.values()])
    return {key: found[key] for key in newest.values()}


def _key(run: RunFile, case: Case) -> _Key:
    info = run.machine.frameworks.get(case.framework)
    return case.id, case.workload_version, info.version if info is not None else ""


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
