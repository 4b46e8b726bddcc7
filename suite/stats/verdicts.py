"""Comparisons in words and figures: what a terminal, a pull request and another program say alike. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j
from joulemark.suite.records import Emissions
from joulemark.suite.stats.compare import ASSUMED_DRIFT, Comparison, ComparisonResult
from joulemark.suite.stats.metrics import METRICS, Metric
from joulemark.suite.stats.variance import Variance
from joulemark.suite.units import quantity, significant

ASSUMED: Final = (
    "5 % assumed, or as much as the trials of a run may vary: too few runs of one machine are kept to tell, "
    "`joulemark calibrate` makes them"
)

MOST: Final = 1000
"""Two trials that vary much bound a ratio by next to nothing: how far an end lies beyond this is of no use."""

_SUBJECTS: Final[Mapping[str, str]] = {
    "throughput": "throughput",
    "energy": "joules per {item}",
    "memory": "peak memory",
    "first-call": "the time of the first call",
}


def sentence(found: Comparison) -> str:
    """What B is against A: `joules per image grew 6 % [4, 8]`. Empty where there is no ratio."""
    if found.ratio is None:
        return ""
    subject = _SUBJECTS[found.metric.key].format(item=found.pair.b.item)
    change = found.ratio - 1
    if found.low is None or found.high is None:
        return f"{subject} changed by {_signed(100 * change, 1)} % (no interval)"
    ends = [100 * (found.low - 1), 100 * (found.high - 1)]
    digits = _digits(ends[1] - ends[0])
    if ends[0] > 0 or ends[1] < 0:
        verb = "grew" if ends[0] > 0 else "fell"
        sizes = sorted(abs(end) for end in ends)
        least, most = (_end(f"{size:.{digits}f}", size, 100 * (MOST - 1)) for size in sizes)
        return f"{subject} {verb} {abs(100 * change):.{digits}f} % [{least}, {most}]"
    low, high = (_end(_signed(end, digits), end, 100 * (MOST - 1), "+") for end in ends)
    return f"{subject} changed by {_signed(100 * change, digits)} % [{low}, {high}]"


def _end(text: str, value: float, most: float, sign: str = "") -> str:
    """An end of an interval, `value` as `text`; beyond `most` no closer than that."""
    return text if value <= most else f"over {sign}{most}"


def _digits(width: float) -> int:
    """Decimals of a percentage whose interval is `width` wide: its ends differ in the last two places."""
    return 0 if width >= 2 else 1 if width >= 0.2 else 2


def _signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text


def ratio_text(found: Comparison) -> str:
    """B over A with its interval: `0.94 [0.92, 0.96]`; empty where there is none."""
    if found.ratio is None:
        return ""
    mark = "~" if found.estimated else ""
    if found.low is None or found.high is None:
        return f"{mark}{found.ratio:.3f}"
    digits = 2 if found.high - found.low >= 0.02 else 3
    low, high = (_end(f"{end:.{digits}f}", end, MOST) for end in (found.low, found.high))
    return f"{mark}{found.ratio:.{digits}f} [{low}, {high}]"


def value_text(metric: Metric, number: float | None) -> str:
    """A value of `metric` for people."""
    if number is None or metric.unit != "items/s":
        return quantity(number, metric.unit)
    return f"{significant(number)} {metric.unit}"


def case_title(found: Comparison) -> str:
    """The case, or both where their ids differ."""
    a, b = (case.id.replace(f"+arm={case.arm}", "") for case in (found.pair.a, found.pair.b))
    return b if a == b else f"{a} -> {b}"


@dataclass(frozen=True)
class PairEmissions:
    """Emissions of both sides of a pair on one grid, grams CO2-equivalent per 1,000 items. Shown, never judged: their
    ratio is that of energy."""

    title: str
    a: float
    b: float
    estimated: bool


def pair_emissions(found: ComparisonResult, reference: Emissions) -> tuple[PairEmissions, ...]:
    """What the energy of each pair emits at the intensity and PUE of `reference`."""

    def of(energy_j: float) -> float:
        return 1000 * emissions_g(facility_energy_j(energy_j, reference.pue.value), reference.intensity.g_per_kwh)

    return tuple(
        PairEmissions(case_title(one), of(one.values[0]), of(one.values[1]), one.estimated)
        for one in found.comparisons
        if one.metric.energy and one.ratio is not None and one.values[0] is not None and one.values[1] is not None
    )


def drift_labels(found: Mapping[str, Variance]) -> list[str]:
    """Which variance between runs stood in for which metrics, in words."""
    metrics: dict[str, list[str]] = {}
    for metric, one in found.items():
        size = f"{100 * math.sqrt(one.value):.1f} %"
        words = f"{size}, from {round(one.degrees) + 1} kept runs of this machine" if one != ASSUMED_DRIFT else ASSUMED
        metrics.setdefault(words, []).append(METRICS[metric].title.lower())
    return [f"{words} ({', '.join(some)})" for words, some in metrics.items()]
