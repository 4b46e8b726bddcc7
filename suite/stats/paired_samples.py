"""What the trials of two cases say of their ratio, on the log scale, or why they say nothing. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from joulemark.suite.energy.attribution import CaseEnergy, case_energy, is_estimated
from joulemark.suite.records import Case
from joulemark.suite.stats.intervals import standard_deviation
from joulemark.suite.stats.metrics import Metric
from joulemark.suite.stats.pairs import CASE_FIELDS, Pair
from joulemark.suite.stats.variance import Variance


@dataclass(frozen=True)
class PairedSample:
    """What the trials of a pair say, on the log scale."""

    difference: float
    own: Variance
    """Of one trial, or of one difference within a round."""
    scale: float
    """What the variance of the difference is of it."""
    n: tuple[int, int]
    estimated: bool
    means: tuple[float, float]
    """Of A and of B."""
    runs: int = 1
    """Separate runs that A is the mean of."""
    by_round: Mapping[int, float] = field(default_factory=dict)
    """The difference by round, where both were measured in the rounds of one run."""


def paired_sample(pair: Pair, metric: Metric, allow_estimates: bool) -> PairedSample | str:
    """The values of a pair; a reason where they may not be compared."""
    if pair.incomparable is not None:
        return pair.incomparable
    one, other = metric.values(pair.a), metric.values(pair.b)
    if not one or not other:
        return f"{metric.title.lower()} was not measured in {'A' if not one else 'B'}"
    estimated = False
    if metric.energy:
        kinds = [is_estimated(pair.a), is_estimated(pair.b)]
        if kinds[0] != kinds[1] and not allow_estimates:
            return "one is measured and the other estimated"
        if _missing(pair.a) != _missing(pair.b):
            return f"unlike parts were measured: {_parts(pair.a)} and {_parts(pair.b)}"
        estimated = any(kinds)
    logs = [{number: math.log(value) for number, value in values.items()} for values in (one, other)]
    rounds = sorted(logs[0].keys() & logs[1].keys())
    if pair.same_run and len(rounds) >= 2:
        # Trials of one round share the machine's state: their difference is free of drift.
        within = {number: logs[1][number] - logs[0][number] for number in rounds}
        own = Variance(standard_deviation(list(within.values())) ** 2, len(within) - 1.0)
        n = (len(rounds), len(rounds))
        means = _mean(logs[0][number] for number in rounds), _mean(logs[1][number] for number in rounds)
        return PairedSample(_mean(within.values()), own, 1 / len(within), n, estimated, means, by_round=within)
    return _between(logs[0].values(), logs[1].values(), _before(pair, metric), estimated)


def _between(
    one: Iterable[float], other: Iterable[float], before: Sequence[Sequence[float]], estimated: bool
) -> PairedSample:
    """Logs of B's trials against those of A's run and of the runs before it, each run of equal weight."""
    runs, b = [list(one), *before], list(other)
    mean_a, mean_b = _mean([_mean(run) for run in runs]), _mean(b)
    return PairedSample(
        difference=mean_b - mean_a,
        own=_pooled([*runs, b]),
        scale=math.fsum(1 / len(run) for run in runs) / len(runs) ** 2 + 1 / len(b),
        n=(sum(len(run) for run in runs), len(b)),
        estimated=estimated,
        means=(mean_a, mean_b),
        runs=len(runs),
    )


def _before(pair: Pair, metric: Metric) -> list[list[float]]:
    """Logs of the trials of each earlier run that measured the same as `pair.a`."""
    like = [case for case in pair.earlier if not metric.energy or _charged(case) == _charged(pair.a)]
    values = [metric.values(case).values() for case in like]
    return [[math.log(value) for value in one] for one in values if one]


def _charged(case: Case) -> object:
    """What its energy is made of, and how it is known."""
    found = case_energy(case.trials)
    return found.kind == "model", found.trials[0].keys if found.trials else None, _missing(case)


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return math.fsum(known) / len(known)


def _pooled(values: Sequence[Sequence[float]]) -> Variance:
    """The variance of a trial from all sides; of no degrees of freedom where none has two trials."""
    degrees = sum(len(side) - 1 for side in values)
    squares = sum(standard_deviation(side) ** 2 * (len(side) - 1) for side in values if len(side) > 1)
    return Variance(squares / degrees if degrees else 0.0, float(degrees))


def _missing(case: Case) -> frozenset[str]:
    """Components that the case is charged with and no trial measured."""
    lacking = (r.component for t in case.trials for r in t.energy if r.attributed and r.energy_j is None)
    return frozenset(lacking) - {component for c in case_energy(case.trials).trials for _, component, _ in c.keys}


def _parts(case: Case) -> str:
    found = case_energy(case.trials).trials
    return ", ".join(sorted({component for _, component, _ in found[0].keys})) if found else "none"


def error_range(pair: Pair) -> tuple[float, float]:
    """Factors on the ends of a ratio of energies, for what its sensors or its model may be off by.

    On one machine a sensor's gain error cancels. A model's does not: it depends on the load and on what the processor
    does. Of one case it is taken to cancel where the load is the same; where the load changed, the power need not have
    changed as the model says, nor at all.
    """
    one, other = (case_energy(case.trials) for case in (pair.a, pair.b))
    if pair.same_machine and one.trials[0].keys == other.trials[0].keys:
        if "model" not in (one.kind, other.kind):
            return 1.0, 1.0
        if _same_case(pair):
            power = _power_w(other) / _power_w(one)
            return min(1.0, 1 / power), max(1.0, 1 / power)
    ranges = (one.sensor_range or (1.0, 1.0)), (other.sensor_range or (1.0, 1.0))
    return ranges[1][0] / ranges[0][1], ranges[1][1] / ranges[0][0]


def _same_case(pair: Pair) -> bool:
    """Whether the two are one case, in two runs or in the two arms of one."""
    return all(getattr(pair.a, name) == getattr(pair.b, name) for name in CASE_FIELDS if name != "arm")


def _power_w(found: CaseEnergy) -> float:
    """Mean power over all trials."""
    length_s = math.fsum(charge.trial.window_length_s for charge in found.trials)
    return math.fsum(charge.energy_j for charge in found.trials) / length_s
