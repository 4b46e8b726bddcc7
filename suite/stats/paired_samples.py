"""Estimate the log ratio of two cases from their trials, or say why that is impossible. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from joulemark.suite.energy.attribution import CaseEnergy, case_energy, is_estimated, is_simulated
from joulemark.suite.records import Case
from joulemark.suite.stats.intervals import standard_deviation
from joulemark.suite.stats.metrics import Metric
from joulemark.suite.stats.pairs import CASE_FIELDS, Pair
from joulemark.suite.stats.variance import Variance


@dataclass(frozen=True)
class PairedSample:
    """The trials of a pair, summarised on the log scale."""

    difference: float
    """Mean log of B less mean log of A."""
    variance: Variance
    """Of one trial; within one run, of one difference in a round."""
    scale: float
    """The variance of `difference` as a multiple of `variance`."""
    n: tuple[int, int]
    estimated: bool
    """Whether a model's energy is in it."""
    means: tuple[float, float]
    """Mean logs of A and B."""
    runs: int = 1
    """Number of runs that A is the mean of."""
    by_round: Mapping[int, float] = field(default_factory=dict)
    """The difference in each round; empty for two runs."""


def paired_sample(pair: Pair, metric: Metric, allow_estimates: bool) -> PairedSample | str:
    """Return the sample of a pair, or the reason why its values may not be compared."""
    if pair.incomparable is not None:
        return pair.incomparable
    values_a, values_b = metric.values(pair.a), metric.values(pair.b)
    if not values_a or not values_b:
        return f"{metric.title.lower()} was not measured in {'A' if not values_a else 'B'}"
    if metric.energy and (reason := _unlike_energy(pair, allow_estimates)) is not None:
        return reason
    estimated = metric.energy and (is_estimated(pair.a) or is_estimated(pair.b))
    logs_a, logs_b = ({r: math.log(value) for r, value in values.items()} for values in (values_a, values_b))
    if metric.key == "throughput" and pair.same_run and pair.a.arm != pair.b.arm:
        for number, (log_a, log_b) in _logs_in_turns(pair).items():
            logs_a[number], logs_b[number] = log_a, log_b
    rounds = sorted(logs_a.keys() & logs_b.keys())
    if pair.same_run and len(rounds) >= 2:
        # Trials of one round share the machine's state, so their difference is free of drift.
        by_round = {number: logs_b[number] - logs_a[number] for number in rounds}
        n = len(rounds)
        variance = Variance(standard_deviation(list(by_round.values())) ** 2, n - 1.0)
        means = fmean(logs_a[number] for number in rounds), fmean(logs_b[number] for number in rounds)
        return PairedSample(fmean(by_round.values()), variance, 1 / n, (n, n), estimated, means, 1, by_round)
    return _unpaired(logs_a.values(), logs_b.values(), _earlier_logs(pair, metric), estimated)


def _logs_in_turns(pair: Pair) -> dict[int, tuple[float, float]]:
    """Return the log throughputs of A and B by round, where both took turns.

    Their difference is the median over turns of the log ratio: two processes that alternate share the machine's state,
    and a burst that is shorter than two turns changes the ratio of one turn only. A's is the median of its turns.
    """
    trials_b = {trial.round: trial for trial in pair.b.trials if trial.is_usable}
    logs = {}
    for a in pair.a.trials:
        b = trials_b.get(a.round)
        if b is not None and a.is_usable and 0 < len(a.turns_s) == len(b.turns_s):
            items_a, items_b = a.items / a.steps, b.items / b.steps
            speedups = (math.log(step_a / step_b) for step_a, step_b in zip(a.turns_s, b.turns_s, strict=True))
            log_a = math.log(items_a / median(a.turns_s))
            logs[a.round] = log_a, log_a + math.log(items_b / items_a) + median(speedups)
    return logs


def _unlike_energy(pair: Pair, allow_estimates: bool) -> str | None:
    """Return why the energies of a pair are of unlike kinds; None where they may be compared."""
    if is_simulated(pair.a) != is_simulated(pair.b):
        return "the energy of one is simulated"
    if is_estimated(pair.a) != is_estimated(pair.b) and not allow_estimates:
        return "one is measured and the other estimated"
    if _missing_components(pair.a) != _missing_components(pair.b):
        a, b = _measured_components(pair.a), _measured_components(pair.b)
        return f"different components were measured: {a} and {b}"
    return None


def _unpaired(
    logs_a: Iterable[float], logs_b: Iterable[float], earlier: Sequence[Sequence[float]], estimated: bool
) -> PairedSample:
    """Compare the trials of B with those of A's run and of earlier runs; each run has the same weight."""
    runs, b = [list(logs_a), *earlier], list(logs_b)
    mean_a, mean_b = fmean([fmean(run) for run in runs]), fmean(b)
    groups = [group for group in (*runs, b) if len(group) > 1]
    degrees = sum(len(group) - 1 for group in groups)
    squares = sum(standard_deviation(group) ** 2 * (len(group) - 1) for group in groups)
    return PairedSample(
        difference=mean_b - mean_a,
        variance=Variance(squares / degrees if degrees else 0.0, float(degrees)),  # pooled over runs
        scale=math.fsum(1 / len(run) for run in runs) / len(runs) ** 2 + 1 / len(b),
        n=(sum(len(run) for run in runs), len(b)),
        estimated=estimated,
        means=(mean_a, mean_b),
        runs=len(runs),
    )


def _earlier_logs(pair: Pair, metric: Metric) -> list[list[float]]:
    """Return the logs of each earlier run whose energy, if energy is compared, was measured like that of `pair.a`."""
    cases = [case for case in pair.earlier if not metric.energy or _provenance(case) == _provenance(pair.a)]
    return [[math.log(value) for value in values.values()] for case in cases if (values := metric.values(case))]


def _provenance(case: Case) -> object:
    """Return what the energy of `case` is made of, and whether it is modelled."""
    energy = case_energy(case.trials)
    return energy.kind == "model", energy.trials[0].keys if energy.trials else None, _missing_components(case)


def _missing_components(case: Case) -> frozenset[str]:
    """Return the attributed components that no trial measured."""
    attributed = [reading for trial in case.trials for reading in trial.energy if reading.attributed]
    measured = {component for energy in case_energy(case.trials).trials for _, component, _ in energy.keys}
    return frozenset(reading.component for reading in attributed if reading.energy_j is None) - measured


def _measured_components(case: Case) -> str:
    trials = case_energy(case.trials).trials
    return ", ".join(sorted({component for _, component, _ in trials[0].keys})) if trials else "none"


def error_range(pair: Pair) -> tuple[float, float]:
    """Return the factors by which sensors or a model widen the ends of a ratio of energies.

    On one machine a sensor's gain error cancels. A model's error does not: it depends on the load and on what the
    processor does. For one case at one load it is taken to cancel. If the load changed, the power may have changed as
    the model says, or less, or not at all.
    """
    energy_a, energy_b = (case_energy(case.trials) for case in (pair.a, pair.b))
    if pair.same_machine and energy_a.trials[0].keys == energy_b.trials[0].keys:
        if "model" not in (energy_a.kind, energy_b.kind):
            return 1.0, 1.0
        same_case = all(getattr(pair.a, name) == getattr(pair.b, name) for name in CASE_FIELDS if name != "arm")
        if same_case:
            power = _mean_power_w(energy_b) / _mean_power_w(energy_a)
            return min(1.0, 1 / power), max(1.0, 1 / power)
    ranges = (energy_a.sensor_range or (1.0, 1.0)), (energy_b.sensor_range or (1.0, 1.0))
    return ranges[1][0] / ranges[0][1], ranges[1][1] / ranges[0][0]


def _mean_power_w(energy: CaseEnergy) -> float:
    """Return the mean power over all trials, watts."""
    length_s = math.fsum(trial_energy.trial.window_length_s for trial_energy in energy.trials)
    return math.fsum(trial_energy.energy_j for trial_energy in energy.trials) / length_s
