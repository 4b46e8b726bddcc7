"""Ratios of cases as `suite.stats.compare` judges them: framework against framework, and run against run."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement
from types import MappingProxyType
from typing import Final, Literal

from joulemark.reports.model.cases import CaseView, label
from joulemark.suite.records import RunFile
from joulemark.suite.stats.compare import compare, metric_families
from joulemark.suite.stats.comparison import Comparison, verdict
from joulemark.suite.stats.intervals import standard_deviation
from joulemark.suite.stats.metrics import METRICS, Metric
from joulemark.suite.stats.paired_samples import error_range
from joulemark.suite.stats.variance import Effect, Variance
from joulemark.suite.trial.frameworks import FRAMEWORKS

Said = Literal["more", "less", "same", "inconclusive", "no interval", "not comparable"]

NO_DRIFT: Final[Mapping[str, Variance]] = MappingProxyType({})
"""Where the drift of a machine is not known: what `suite.stats.compare` assumes stands in."""

_INVERSE: Final[Mapping[Said, Said]] = {"more": "less", "less": "more"}


@dataclass(frozen=True)
class Ratio:
    """One value over another."""

    value: float | None
    """None where the two may not be compared, with the reason."""
    low: float | None = None
    """Ends of the adjusted 95 % interval; None where there is none."""
    high: float | None = None
    verdict: Said = "not comparable"
    """What may be said: `more` or `less` where the interval lies on one side of 1, `same` where it lies within
    `threshold` of 1, `inconclusive` otherwise."""
    reason: str = ""
    estimated: bool = False
    """Whether a model's energy is in it."""
    threshold: float = 0.0
    error: Variance | None = field(default=None, repr=False)
    """Of its logarithm by its own trials, as `suite.stats.compare.Comparison` has it; None where they are too few."""
    gain: tuple[float, float] = (1.0, 1.0)
    """Factors on the ends for what two sensors may be off by; (1, 1) on one."""
    within: Mapping[int, float] = field(default_factory=dict, repr=False)
    """Its logarithm by round, within one run."""

    @property
    def inverse(self) -> Ratio:
        """The other over the one."""
        if self.value is None:
            return self
        low = None if self.high is None else 1 / self.high
        high = None if self.low is None else 1 / self.low
        said = _INVERSE.get(self.verdict, self.verdict)
        gains = 1 / self.gain[1], 1 / self.gain[0]
        within = {number: -log for number, log in self.within.items()}
        return replace(self, value=1 / self.value, low=low, high=high, verdict=said, gain=gains, within=within)


@dataclass(frozen=True)
class Pair:
    """Two cases of the same work, and how they relate: `one` over `other`."""

    one: CaseView
    other: CaseView
    throughput: Ratio
    energy: Ratio
    """Of joules per item."""
    alike: bool
    """Whether both modes are of one class (eager, graph, compiled)."""
    default: bool
    """Whether both run in the mode that most of their framework's users run."""
    unlike: str = ""
    """Why the two may not be compared at all; empty where they may."""

    @property
    def turned(self) -> Pair:
        """`other` over `one`."""
        speed, energy = self.throughput.inverse, self.energy.inverse
        return replace(self, one=self.other, other=self.one, throughput=speed, energy=energy)


def framework_pairs(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> tuple[Pair, ...]:
    """Pairs of two frameworks on the same work, settings and machine: of like modes, and of the default modes."""
    files = {label(i): file for i, file in enumerate(run_files)}
    places = {view.key: place for place, view in enumerate(cases)}
    sides: dict[tuple[str, str | None], list[CaseView]] = defaultdict(list)
    for view in cases:
        if view.current and view.case.summary is not None:
            sides[view.run, view.case.arm].append(view)
    found: list[Pair] = []
    for (a, ones), (b, others) in combinations_with_replacement(sides.items(), 2):
        # Two arms of one run are unlike in more than the framework.
        if ones[0].machine == others[0].machine and (a[0] != b[0] or a == b):
            found += against(files[a[0]], ones, files[b[0]], others, "framework")[0]
    wanted = [p for p in found if p.one.case.framework != p.other.case.framework and (p.alike or p.default)]
    # The framework that stands first in the table stands first in the ratio.
    turned = [p.turned if places[p.one.key] > places[p.other.key] else p for p in wanted if not p.unlike]
    return tuple(sorted(turned, key=lambda p: (places[p.one.key], places[p.other.key])))


def arm_pairs(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> tuple[Pair, ...]:
    """Arm B over arm A of each A/B run."""
    found: list[Pair] = []
    for i, file in enumerate(run_files):
        views = [view for view in cases if view.run == label(i) and view.case.arm is not None]
        if views:
            found += [pair for pair in against(file, views, file, views, "arm")[0] if not pair.unlike]
    return tuple(found)


def against(
    a: RunFile,
    ones: Sequence[CaseView],
    b: RunFile,
    others: Sequence[CaseView],
    by: str | None,
    drift: Mapping[str, Variance] = NO_DRIFT,
) -> tuple[list[Pair], Mapping[str, str]]:
    """Every pair of `ones`, cases of `a`, and `others`, cases of `b`, that are alike but for the factor `by`: B over A.

    Levels are adjusted over all of them. `drift`: of a run by metric, where it is known. With the pairs, by id, what
    the other run has instead of a case without a partner.
    """
    one = a.model_copy(update={"cases": tuple(view.case for view in ones)})
    other = b.model_copy(update={"cases": tuple(view.case for view in others)})
    allowed = a.settings.allow_estimates and b.settings.allow_estimates
    found: list[Comparison] = []
    why: Mapping[str, str] = {}
    for metrics in metric_families(one, other, allow_estimates=allowed):
        compared = compare(one, other, by, metrics=metrics, drift=drift, allow_estimates=allowed)
        found, why = [*found, *compared.comparisons], compared.missing_reasons
    return _pairs(found, {view.case.id: view for view in ones}, {view.case.id: view for view in others}), why


def _pairs(compared: Sequence[Comparison], ones: Mapping[str, CaseView], others: Mapping[str, CaseView]) -> list[Pair]:
    by_pair: dict[tuple[str, str], dict[str, Comparison]] = defaultdict(dict)
    for found in compared:
        by_pair[found.pair.a.id, found.pair.b.id][found.metric.key] = found
    return [
        Pair(
            one=others[b],
            other=ones[a],
            throughput=_ratio(found["throughput"]),
            energy=_ratio(found["energy"]),
            alike=found["throughput"].pair.note is None,
            default=all(_is_default(view) for view in (ones[a], others[b])),
            unlike=found["throughput"].pair.incomparable or "",
        )
        for (a, b), found in by_pair.items()
    ]


def _ratio(found: Comparison) -> Ratio:
    if found.ratio is None:
        # Which of the two it is, A or B, is seen beside it; the page calls its runs by these letters.
        reason = (found.reason or "").removesuffix(" in A").removesuffix(" in B")
        return Ratio(None, reason=reason)
    if found.low is None or found.high is None:
        return Ratio(found.ratio, verdict="no interval", reason=found.reason or "", estimated=found.estimated)
    return Ratio(
        found.ratio,
        found.low,
        found.high,
        _said(found.low, found.high, found.threshold, found.metric),
        found.reason or "",
        found.estimated,
        found.threshold,
        found.error,
        error_range(found.pair) if found.metric.energy else (1.0, 1.0),
        found.log_ratio_by_round,
    )


def overall(ratios: Sequence[Ratio], metric: str, one_run: bool) -> Ratio:
    """Geometric mean of some ratios of `metric`. Its interval holds for this selection of work.

    Within `one_run` the rounds are what is independent: in one of them a busy machine moves many pairs the same way.
    Ratios between two runs share the runs' drift: their errors do not cancel.
    """
    known = [ratio for ratio in ratios if ratio.value is not None]
    if len(known) < 2:
        reasons = "; ".join(dict.fromkeys(ratio.reason for ratio in ratios))
        return known[0] if known else Ratio(None, reason=reasons or "nothing to compare")
    n, estimated = len(known), any(ratio.estimated for ratio in known)
    centre = math.fsum(math.log(ratio.value) for ratio in known if ratio.value is not None) / n
    within = _by_round(known) if one_run else {}
    error = _over_rounds(within) if one_run else _in_step(known)
    if error is None:
        return Ratio(math.exp(centre), verdict="no interval", reason="n=1, no interval", estimated=estimated)
    gains = [math.fsum(math.log(ratio.gain[end]) for ratio in known) / n for end in (0, 1)]
    low, high = (math.exp(end + by) for end, by in zip(Effect(centre, error).interval(0.05), gains, strict=True))
    said = _said(low, high, known[0].threshold, METRICS[metric])
    return Ratio(math.exp(centre), low, high, said, "", estimated, known[0].threshold, error, within=within)


def _by_round(ratios: Sequence[Ratio]) -> dict[int, float]:
    """The mean of the logarithms in each round that has all ratios."""
    rounds = set.intersection(*(set(ratio.within) for ratio in ratios))
    return {number: math.fsum(ratio.within[number] for ratio in ratios) / len(ratios) for number in sorted(rounds)}


def _over_rounds(within: Mapping[int, float]) -> Variance | None:
    """Of the mean over rounds; None for less than two."""
    if len(within) < 2:
        return None
    return Variance(standard_deviation(list(within.values())) ** 2 / len(within), len(within) - 1.0)


def _in_step(ratios: Sequence[Ratio]) -> Variance | None:
    """Of the mean of the logarithms, were all off by as many standard errors to the same side; None at n=1."""
    errors = [ratio.error for ratio in ratios if ratio.error is not None]
    if len(errors) < len(ratios):
        return None
    spread = math.fsum(math.sqrt(error.value) for error in errors) / len(errors)
    return Variance(spread**2, min(error.degrees for error in errors))


def _said(low: float, high: float, threshold: float, metric: Metric) -> Said:
    """The verdict without its judgement: whether it is more or less, and not whether that is better."""
    found = verdict(math.log(low), math.log(high), threshold, metric)
    if found in {"better", "worse"}:
        return "more" if (found == "better") == (metric.better == "higher") else "less"
    return "same" if found == "same" else "inconclusive"


def _is_default(view: CaseView) -> bool:
    known = FRAMEWORKS.get(view.case.framework)
    return known is not None and known.default_mode == view.case.mode
