"""Pairs of cases that can be compared: framework over framework, run over run, arm over arm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from types import MappingProxyType
from typing import Final

from joulemark.reports.model.cases import CaseView, run_label
from joulemark.reports.model.ratios import Ratio, ratio_of
from joulemark.suite.records import RunFile
from joulemark.suite.stats.compare import compare, metric_families
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.variance import Variance
from joulemark.suite.trial.frameworks import FRAMEWORKS

UNKNOWN_DRIFT: Final[Mapping[str, Variance]] = MappingProxyType({})
"""For a machine of unknown drift: `suite.stats.compare` then assumes one."""


@dataclass(frozen=True)
class Pair:
    """Two cases of the same task, and their ratios, `first` over `second`."""

    first: CaseView
    second: CaseView
    throughput: Ratio
    energy: Ratio
    """Of joules per item."""
    same_mode_class: bool
    """Whether both modes are eager, both graph or both compiled."""
    default_modes: bool
    """Whether both run in the default mode of their framework."""
    incomparable: str = ""
    """Why the two may not be compared at all; empty where they may."""

    @property
    def swapped(self) -> Pair:
        """`second` over `first`."""
        speed, energy = self.throughput.inverse, self.energy.inverse
        return replace(self, first=self.second, second=self.first, throughput=speed, energy=energy)


def framework_pairs(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> tuple[Pair, ...]:
    """Return pairs of two frameworks on one task, settings and machine: of like modes, and of the default modes."""
    files = {run_label(i): file for i, file in enumerate(run_files)}
    places = {view.key: place for place, view in enumerate(cases)}
    by_arm: dict[tuple[str, str | None], list[CaseView]] = defaultdict(list)
    for view in cases:
        if view.current and view.case.summary is not None:
            by_arm[view.run, view.case.arm].append(view)
    pairs: list[Pair] = []
    for (a, a_views), (b, b_views) in combinations_with_replacement(by_arm.items(), 2):
        # Two arms of one run differ in more than the framework.
        if a_views[0].machine == b_views[0].machine and (a[0] != b[0] or a == b):
            pairs += pair_views(files[a[0]], a_views, files[b[0]], b_views, "framework")[0]
    shown = [
        pair
        for pair in pairs
        if pair.first.case.framework != pair.second.case.framework
        and (pair.same_mode_class or pair.default_modes)
        and not pair.incomparable
    ]
    # The framework that comes first in the table comes first in the ratio.
    ordered = [pair.swapped if places[pair.first.key] > places[pair.second.key] else pair for pair in shown]
    return tuple(sorted(ordered, key=lambda pair: (places[pair.first.key], places[pair.second.key])))


def arm_pairs(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> tuple[Pair, ...]:
    """Return arm B over arm A of each A/B run."""
    pairs: list[Pair] = []
    for i, file in enumerate(run_files):
        views = [view for view in cases if view.run == run_label(i) and view.case.arm is not None]
        if views:
            pairs += [pair for pair in pair_views(file, views, file, views, "arm")[0] if not pair.incomparable]
    return tuple(pairs)


def pair_views(
    a: RunFile,
    a_views: Sequence[CaseView],
    b: RunFile,
    b_views: Sequence[CaseView],
    by: str | None,
    drift: Mapping[str, Variance] = UNKNOWN_DRIFT,
) -> tuple[list[Pair], Mapping[str, str]]:
    """Return every pair of views that are equal but for the factor `by`, B over A; levels are adjusted over all.

    Also return, by id of a case without a partner, what the other run has instead. `drift` is that of a run, by
    metric, where it is known.
    """
    a = a.model_copy(update={"cases": tuple(view.case for view in a_views)})
    b = b.model_copy(update={"cases": tuple(view.case for view in b_views)})
    allow_estimates = a.settings.allow_estimates and b.settings.allow_estimates
    comparisons: list[Comparison] = []
    missing_reasons: Mapping[str, str] = {}
    for metrics in metric_families(a, b, allow_estimates=allow_estimates):
        result = compare(a, b, by, metrics=metrics, drift=drift, allow_estimates=allow_estimates)
        comparisons += result.comparisons
        missing_reasons = result.missing_reasons
    by_id = {view.case.id: view for view in a_views}, {view.case.id: view for view in b_views}
    return pairs_of(comparisons, *by_id), missing_reasons


def pairs_of(
    comparisons: Sequence[Comparison], a_views: Mapping[str, CaseView], b_views: Mapping[str, CaseView]
) -> list[Pair]:
    """Return the pairs of `comparisons`, whose cases have views by id."""
    by_pair: dict[tuple[str, str], dict[str, Comparison]] = defaultdict(dict)
    for comparison in comparisons:
        by_pair[comparison.pair.a.id, comparison.pair.b.id][comparison.metric.key] = comparison
    return [
        Pair(
            first=b_views[b],
            second=a_views[a],
            throughput=ratio_of(by_metric["throughput"]),
            energy=ratio_of(by_metric["energy"]),
            same_mode_class=by_metric["throughput"].pair.note is None,
            default_modes=all(_is_default(view) for view in (a_views[a], b_views[b])),
            incomparable=by_metric["throughput"].pair.incomparable or "",
        )
        for (a, b), by_metric in by_pair.items()
    ]


def _is_default(view: CaseView) -> bool:
    framework = FRAMEWORKS.get(view.case.framework)
    return framework is not None and framework.default_mode == view.case.mode
