"""Comparisons as text: the wording that the terminal, Markdown and `--json` share. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j
from joulemark.suite.records import Emissions
from joulemark.suite.stats.between_runs.ages import DriftAtAge
from joulemark.suite.stats.comparison import Comparison, ComparisonResult
from joulemark.suite.stats.drift import ASSUMED_DRIFT
from joulemark.suite.stats.metrics import METRICS, Metric
from joulemark.suite.stats.variance import Variance
from joulemark.suite.stats.work_counts.comparison import CountComparison
from joulemark.suite.units import quantity, significant

ASSUMED: Final = (
    "5 % assumed, or more if the trials of a run may vary by more: too few runs of this machine are kept to estimate "
    "it, `joulemark calibrate` makes them"
)
MAX_RATIO: Final = 1000
"""Two trials that vary much bound a ratio by next to nothing: an end beyond this is not worth a number."""

_SUBJECTS: Final[Mapping[str, str]] = {
    "throughput": "throughput",
    "energy": "joules per {item}",
    "memory": "peak memory",
    "first-call": "first-call time",
}


def sentence(comparison: Comparison) -> str:
    """Return what B is against A: `joules per image grew 6 % [4, 8]`; empty if there is no ratio."""
    if comparison.ratio is None:
        return ""
    subject = _SUBJECTS[comparison.metric.key].format(item=comparison.pair.b.item)
    change = comparison.ratio - 1
    if comparison.low is None or comparison.high is None:
        return f"{subject} changed by {_signed(100 * change, 1)} % (no interval)"
    ends = [100 * (comparison.low - 1), 100 * (comparison.high - 1)]
    width = ends[1] - ends[0]
    digits = 0 if width >= 2 else 1 if width >= 0.2 else 2  # the ends differ in the last two places
    if ends[0] > 0 or ends[1] < 0:
        verb = "grew" if ends[0] > 0 else "fell"
        sizes = sorted(abs(end) for end in ends)
        low, high = (_capped(f"{size:.{digits}f}", size, 100 * (MAX_RATIO - 1)) for size in sizes)
        return f"{subject} {verb} {abs(100 * change):.{digits}f} % [{low}, {high}]"
    low, high = (_capped(_signed(end, digits), end, 100 * (MAX_RATIO - 1), "+") for end in ends)
    return f"{subject} changed by {_signed(100 * change, digits)} % [{low}, {high}]"


def _capped(text: str, value: float, limit: float, sign: str = "") -> str:
    """Return `text`, the end `value` of an interval, or `over LIMIT` beyond `limit`."""
    return text if value <= limit else f"over {sign}{limit}"


def _signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text


def ratio_text(comparison: Comparison) -> str:
    """Return B over A with its interval: `0.94 [0.92, 0.96]`; empty if there is no ratio."""
    if comparison.ratio is None:
        return ""
    mark = "~" if comparison.estimated else ""
    if comparison.low is None or comparison.high is None:
        return f"{mark}{comparison.ratio:.3f}"
    digits = 2 if comparison.high - comparison.low >= 0.02 else 3
    low, high = (_capped(f"{end:.{digits}f}", end, MAX_RATIO) for end in (comparison.low, comparison.high))
    return f"{mark}{comparison.ratio:.{digits}f} [{low}, {high}]"


def value_text(metric: Metric, value: float | None) -> str:
    """Return a value of `metric` with its unit."""
    if value is None or metric.unit != "items/s":
        return quantity(value, metric.unit)
    return f"{significant(value)} {metric.unit}"


def case_title(comparison: Comparison | CountComparison) -> str:
    """Return the id of the case, or both ids if they differ."""
    a, b = (case.id.replace(f"+arm={case.arm}", "") for case in (comparison.pair.a, comparison.pair.b))
    return b if a == b else f"{a} -> {b}"


@dataclass(frozen=True)
class PairEmissions:
    """Grams CO2-equivalent per 1,000 items of both cases, on one grid. Not judged: their ratio is that of energy."""

    title: str
    a: float
    b: float
    estimated: bool


def pair_emissions(result: ComparisonResult, reference: Emissions) -> tuple[PairEmissions, ...]:
    """Return the emissions of each pair at the intensity and PUE of `reference`."""

    def emissions(energy_j: float) -> float:
        return 1000 * emissions_g(facility_energy_j(energy_j, reference.pue.value), reference.intensity.g_per_kwh)

    return tuple(
        PairEmissions(case_title(comparison), emissions(a), emissions(b), comparison.estimated)
        for comparison in result.comparisons
        for a, b in [comparison.values]
        if comparison.metric.energy and comparison.ratio is not None and a is not None and b is not None
    )


def reference_lines(result: ComparisonResult) -> list[str]:
    """Return what the reference says of the machine, and what the ratios were before it was divided out."""
    speed = result.reference_speed
    if speed is None:
        return []
    head = f"By its reference, the machine is {abs(100 * (speed - 1)):.1f} % {'slower' if speed < 1 else 'faster'} in B"
    divided = [(each, each.reference) for each in result.comparisons if each.reference is not None]
    if not divided:
        return [f"{head}; not divided out: too few kept runs have it, or no case follows it."]
    lines = [
        f"  {case_title(each)}, {each.metric.title.lower()}: {ratio_before(each):.2f} as measured, {ratio_text(each)} "
        f"without it (slope {reference.slope:.2f}, from {reference.runs} runs)"
        for each, reference in divided
        if each.ratio is not None
    ]
    return [f"{head}; divided out:", *lines]


def ratio_before(comparison: Comparison) -> float | None:
    """Return the ratio with the machine's part in it; None without a ratio."""
    if comparison.ratio is None or comparison.reference is None:
        return comparison.ratio
    return comparison.ratio * math.exp(comparison.reference.slope * comparison.reference.log_ratio)


def drift_runs(drift: Variance) -> int:
    """Return how many runs a drift was estimated from."""
    return drift.runs if isinstance(drift, DriftAtAge) else round(drift.degrees) + 1


def drift_labels(drifts: Mapping[str, Variance]) -> list[str]:
    """Return which drift between runs was used for which metrics."""
    titles: dict[str, list[str]] = {}
    for metric, drift in drifts.items():
        measured = f"{100 * math.sqrt(drift.value):.1f} %, from {drift_runs(drift)} kept runs of this machine"
        if isinstance(drift, DriftAtAge):
            measured += f" that are {drift.apart} apart"
        titles.setdefault(ASSUMED if drift == ASSUMED_DRIFT else measured, []).append(METRICS[metric].title.lower())
    return [f"{label} ({', '.join(metrics)})" for label, metrics in titles.items()]
