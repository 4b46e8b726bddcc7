"""The verdict on each GPU of a machine, from the same case on all of them: alone, and all at once. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean, median
from typing import Final, Literal

from joulemark.suite.stats.gpus.outliers import MIN_VALUES, low_outliers
from joulemark.suite.stats.gpus.spread import Spread, spread
from joulemark.suite.stats.intervals import CONFIDENCE, standard_deviation, t_quantile
from joulemark.suite.stats.variance import Effect, Variance, holm

FAMILYWISE: Final = 0.05
"""Chance that any healthy GPU of a case is called slow, or that equal ones differ, alone or together."""
LEVEL: Final = 0.75 * FAMILYWISE / 2
"""Level of each of the two tests: the rest is a margin, for spreads between healthy GPUs that are not quite normal."""
Way = Literal["alone", "together"]
WAYS: Final[tuple[Way, ...]] = ("alone", "together")
Verdict = Literal["slow", "differs", "as the others", "not judged"]


@dataclass(frozen=True)
class GpuLogs:
    """Logarithms of what was measured on a GPU, by round: of rates, or of joules an item."""

    gpu: str
    alone: Mapping[int, float]
    together: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Ratio:
    """A ratio with its 95 % interval between rounds; None with one round."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class GpuVerdict:
    """What is said of one GPU."""

    gpu: str
    verdict: Verdict
    where: tuple[Way, ...]
    """Alone, together or both, where it is slow or differs."""
    deviations: Mapping[Way, float]
    """Its value over the median of all GPUs, minus 1."""
    together_over_alone: Ratio | None


@dataclass(frozen=True)
class GpuComparison:
    """All GPUs, compared with each other."""

    verdicts: tuple[GpuVerdict, ...]
    spreads: Mapping[Way, Spread]
    """Between GPUs; a way that has no round with all of them is left out."""
    together_over_alone: Ratio | None
    """What neighbours do: the geometric mean of all GPUs together over that alone."""


def compare_gpus(gpus: Sequence[GpuLogs]) -> GpuComparison:
    """Return the comparison of two or more GPUs of one kind.

    A round counts if all GPUs were measured in it that were measured at all. From `outliers.MIN_VALUES` GPUs on, one
    that is slower than the spread of the others allows is `slow`; of fewer nobody can say which is wrong: those whose
    trials differ by more than chance `differ`.
    """
    marked: dict[str, list[Way]] = {each.gpu: [] for each in gpus}
    deviations: dict[str, dict[Way, float]] = {each.gpu: {} for each in gpus}
    spreads: dict[Way, Spread] = {}
    judged: set[str] = set()
    for way in WAYS:
        table = _table(gpus, way)
        if len(table) < 2:
            continue
        names, rows = list(table), list(table.values())
        centres = [fmean(row) for row in rows]
        spreads[way], middle = spread(rows), median(centres)
        for name, centre in zip(names, centres, strict=True):
            deviations[name][way] = math.expm1(centre - middle)
        if not is_judged(rows):
            continue
        judged.update(names)
        for i in unlike_others(rows):
            marked[names[i]].append(way)
    few = len(judged) < MIN_VALUES
    verdicts = tuple(
        GpuVerdict(
            each.gpu,
            _verdict(each.gpu in judged, bool(marked[each.gpu]), few),
            tuple(marked[each.gpu]),
            deviations[each.gpu],
            together_over_alone([each]),
        )
        for each in gpus
    )
    return GpuComparison(verdicts, spreads, together_over_alone(gpus))


def is_judged(rows: Sequence[Sequence[float]]) -> bool:
    """Return whether anything can be said of GPUs with these values: of a few with one round nothing can."""
    return len(rows) >= MIN_VALUES or len(rows[0]) > 1


def unlike_others(rows: Sequence[Sequence[float]]) -> set[int]:
    """Return which GPUs are slow, or differ where they are few. `rows`: log rates of each in the same rounds.

    The chance of any false one is at most half of FAMILYWISE.
    """
    if len(rows) >= MIN_VALUES:
        return low_outliers([fmean(row) for row in rows], LEVEL)
    return _different(rows, LEVEL)


def _verdict(judged: bool, marked: bool, few: bool) -> Verdict:
    if not judged:
        return "not judged"
    if not marked:
        return "as the others"
    return "differs" if few else "slow"


def _table(gpus: Sequence[GpuLogs], way: Way) -> dict[str, list[float]]:
    """Return the values of each GPU that has any, in the rounds that all of these have; empty without such a round."""
    values = {each.gpu: getattr(each, way) for each in gpus if getattr(each, way)}
    rounds = sorted(set.intersection(*(set(each) for each in values.values()))) if values else []
    return {name: [of_gpu[number] for number in rounds] for name, of_gpu in values.items()} if rounds else {}


def _different(rows: Sequence[Sequence[float]], alpha: float) -> set[int]:
    """Return the rows that differ from another one in paired t-tests over the rounds, by Holm's procedure."""
    pairs = list(combinations(range(len(rows)), 2))
    effects = []
    for a, b in pairs:
        differences = [y - x for x, y in zip(rows[a], rows[b], strict=True)]
        variance = standard_deviation(differences) ** 2 / len(differences)
        effects.append(Effect(fmean(differences), Variance(variance, len(differences) - 1)))
    intervals = holm(effects, alpha)
    return {i for pair, (low, high) in zip(pairs, intervals, strict=True) if not low <= 0 <= high for i in pair}


def together_over_alone(gpus: Sequence[GpuLogs]) -> Ratio | None:
    """Return the ratio over the rounds in which all GPUs were measured both ways; the round is the independent unit."""
    both = [each for each in gpus if each.alone and each.together]
    rounds = sorted(set.intersection(*({*each.alone} & {*each.together} for each in both))) if both else []
    if not rounds:
        return None
    logs = [fmean(each.together[number] - each.alone[number] for each in both) for number in rounds]
    mean, n = fmean(logs), len(logs)
    if n == 1:
        return Ratio(math.exp(mean), None, None, 1)
    half = t_quantile((1 + CONFIDENCE) / 2, n - 1) * standard_deviation(logs) / math.sqrt(n)
    return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half), n)
