"""The gate: from comparisons to an outcome and its exit code. Pure.

A comparison has regressed if it is certainly worse, and possibly by the threshold or more: its interval excludes no
change, and does not exclude the threshold. It has held if its interval excludes the threshold. It is in doubt only
while its interval contains both: more rounds always end that, also where the true change is the threshold itself. A
gate that cannot tell says so, and neither passes nor alarms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import filterfalse
from typing import Final, Literal

from joulemark.suite.energy.attribution import case_energy
from joulemark.suite.errors import NotComparableError
from joulemark.suite.notices import INVALIDATING
from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.comparison import Comparison, ComparisonResult
from joulemark.suite.stats.pairs import Pair
from joulemark.suite.stats.thresholds import Thresholds
from joulemark.suite.stats.work_counts.comparison import CountComparison

Outcome = Literal["regression", "not conclusive", "fine"]
CONFIDENCE: Final = 0.98
"""Of the intervals that a gate judges: at most 1 % of gates alarm where nothing has changed, however many cases."""
EXIT_CODES: Final = {"fine": 0, "regression": 1, "not conclusive": 4}


@dataclass(frozen=True)
class Unjudged:
    """A case, or one metric of it, without a verdict."""

    case: str
    metric: str | None
    """None for all metrics of the case."""
    reason: str


@dataclass(frozen=True)
class Gate:
    """What a gate found. A comparison with a ratio is in one of the first three, one without in one of the last two."""

    regressed: tuple[Comparison, ...]
    doubtful: tuple[Comparison, ...]
    """Neither regressed nor held."""
    held: tuple[Comparison, ...]
    """Certainly not worse by more than the threshold; possibly better."""
    lost: tuple[Unjudged, ...]
    """Failed, or judged in the baseline but no longer."""
    not_judged: tuple[Unjudged, ...]
    """Without consequence: new cases, and energy that nobody measured."""
    more_work: tuple[CountComparison, ...] = ()
    """Counts of a step that grew by more than their threshold."""
    held_work: tuple[CountComparison, ...] = ()
    """Counts that did not; and those judged by default, where the step is certainly faster."""

    @property
    def outcome(self) -> Outcome:
        if self.regressed or self.more_work:
            return "regression"
        return "not conclusive" if self.doubtful or self.lost else "fine"

    @property
    def exit_code(self) -> int:
        """0 fine, 1 a regression, 4 not conclusive."""
        return EXIT_CODES[self.outcome]

    def label(self, comparison: Comparison) -> str:
        """Return `regressed`, `in doubt`, `held` or `not judged`."""
        groups = {"regressed": self.regressed, "in doubt": self.doubtful, "held": self.held}
        key = _key(comparison)
        return next((label for label, group in groups.items() if key in map(_key, group)), "not judged")

    def count_label(self, count: CountComparison) -> str:
        """Return `regressed`, `held` or `not judged`."""
        return "regressed" if count in self.more_work else "held" if count in self.held_work else "not judged"


def _ids(pair: Pair) -> tuple[str, str]:
    return pair.a.id, pair.b.id


def _key(comparison: Comparison) -> tuple[str, str, str]:
    return *_ids(comparison.pair), comparison.metric.key


def evaluate(
    result: ComparisonResult, a: RunFile, b: RunFile, thresholds: Thresholds, allow_estimates: bool = False
) -> Gate:
    """Return the gate's verdict on `result`, the comparison of `b` with the baseline `a`.

    NotComparableError if no comparison can be judged, unless the reason is a failed case.
    """
    judged: list[Comparison] = []
    without_verdict: list[tuple[Unjudged, bool]] = []
    for comparison in result.comparisons:
        if comparison.ratio is None or (comparison.estimated and not allow_estimates):
            without_verdict.append(_unjudged(comparison, thresholds))
        else:
            judged.append(comparison)
    of_work = [each for each in result.counts if each.threshold is not None]
    without_verdict += [_unjudged_count(each) for each in of_work if not _is_judged(each)]
    work = [each for each in of_work if _is_judged(each)]
    faster = {_ids(each.pair) for each in judged if each.metric.key == "throughput" and each.verdict == "better"}

    def grew(count: CountComparison) -> bool:
        return count.verdict == "more" and (count.requested or _ids(count.pair) not in faster)

    lost = [unjudged for unjudged, is_loss in without_verdict if is_loss]
    not_judged = [unjudged for unjudged, is_loss in without_verdict if not is_loss]
    missing = result.missing_reasons
    lost += [Unjudged(case.id, None, missing[case.id]) for case in _cases(a, result.only_a) if case.status == "ok"]
    for case in _cases(b, result.only_b):
        reason = f"new: {missing[case.id]}" if case.status == "ok" else _failure(case)
        (lost if case.status == "failed" else not_judged).append(Unjudged(case.id, None, reason))
    gate = Gate(
        regressed=tuple(comparison for comparison in judged if comparison.regressed),
        doubtful=tuple(comparison for comparison in judged if not (comparison.regressed or comparison.held)),
        held=tuple(comparison for comparison in judged if comparison.held),
        lost=tuple(dict.fromkeys(lost)),
        not_judged=tuple(dict.fromkeys(not_judged)),
        more_work=tuple(filter(grew, work)),
        held_work=tuple(filterfalse(grew, work)),
    )
    # Counts alone decide only where they were asked for, or where no metric was.
    decided = judged or any(each.requested or not result.comparisons for each in work)
    if not decided and not any(case.status == "failed" for case in b.cases):
        raise nothing_comparable(a, b, [unjudged.reason for unjudged in (*gate.lost, *gate.not_judged)])
    return gate


def _is_judged(count: CountComparison) -> bool:
    return count.verdict not in ("in doubt", "not comparable")


def _unjudged_count(count: CountComparison) -> tuple[Unjudged, bool]:
    """Return why a count that should be judged is not, and whether that counts as a loss."""
    if count.pair.work_incomparable is not None:
        return _unjudged_pair(count.pair, count.pair.work_incomparable)
    is_loss = count.requested or count.vanished
    return Unjudged(count.pair.b.id, count.kind.option, count.reason or "trials of A and B overlap"), is_loss


def nothing_comparable(a: RunFile, b: RunFile, reasons: Iterable[str], by: str | None = None) -> NotComparableError:
    """Return the error for two runs without a comparable case, with the most frequent reasons and their counts."""
    counts = Counter(reasons)
    if a.run.id == b.run.id and not counts:
        return NotComparableError(f"no two cases of {b.run.id} differ only in {by}.")
    text = next(iter(counts), "neither has a case")
    if len(counts) > 1:
        text = "; ".join(f"{count} of {counts.total()} times: {reason}" for reason, count in counts.most_common(3))
    return NotComparableError(f"nothing in {b.run.id} can be compared with {a.run.id}: {text}.")


def _cases(run_file: RunFile, ids: Collection[str]) -> list[Case]:
    return [case for case in run_file.cases if case.id in ids]


def _failure(case: Case) -> str:
    return f"{case.status}: {case.reason or 'no usable trial'}"


def _unjudged(comparison: Comparison, thresholds: Thresholds) -> tuple[Unjudged, bool]:
    """Return why a comparison has no verdict, and whether that counts as a loss."""
    pair, metric = comparison.pair, comparison.metric
    if pair.incomparable is not None:
        return _unjudged_pair(pair, pair.incomparable)
    reason = comparison.reason or "no value"
    in_baseline = comparison.values[0] is not None
    if metric.energy:
        in_baseline = _is_measured(pair.a)
        if comparison.estimated and not in_baseline and not _is_measured(pair.b):
            reason = "estimated, not measured (--allow-estimates judges it anyway)"
    return Unjudged(pair.b.id, metric.key, reason), in_baseline or metric.key in thresholds.requested


def _unjudged_pair(pair: Pair, incomparable: str) -> tuple[Unjudged, bool]:
    """Return why nothing of a pair has a verdict, and whether that counts as a loss."""
    reason = f"new: the baseline's {incomparable}" if pair.a.status != "ok" else incomparable
    unjudged = Unjudged(pair.b.id, None, _failure(pair.b) if pair.b.status != "ok" else reason)
    return unjudged, pair.a.status == "ok" or pair.b.status == "failed"


def _is_measured(case: Case) -> bool:
    """Return whether the energy of `case` comes from a sensor."""
    energy = case_energy(case.trials)
    return bool(energy.trials) and energy.kind != "model"


def without_invalid_cases(result: ComparisonResult) -> ComparisonResult:
    """Return `result` without the intervals of cases that are not valid, which make them inconclusive."""
    return replace(result, comparisons=tuple(map(_without_interval_if_invalid, result.comparisons)))


def _without_interval_if_invalid(comparison: Comparison) -> Comparison:
    for name, case in (("A", comparison.pair.a), ("B", comparison.pair.b)):
        for notice in case.notices:
            if notice.code in INVALIDATING:
                reason = f"{name} is not valid: {notice.message}"
                return replace(comparison, low=None, high=None, verdict="inconclusive", reason=reason)
    return comparison
