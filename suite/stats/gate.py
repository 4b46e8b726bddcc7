"""From comparisons to the verdict of a gate, and its exit code. Pure.

A regression is a ratio whose whole interval lies beyond the threshold. What is surely not beyond it has held. All else
is in doubt, and a gate that cannot tell says so: neither a pass nor an alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from joulemark.suite.energy.attribution import case_energy
from joulemark.suite.errors import NotComparableError
from joulemark.suite.notices import INVALIDATING
from joulemark.suite.records import Case, RunFile
from joulemark.suite.stats.compare import Comparison, ComparisonResult
from joulemark.suite.stats.pairs import Pair
from joulemark.suite.stats.thresholds import Thresholds

Outcome = Literal["regression", "not conclusive", "fine"]

CODES: Final = {"fine": 0, "regression": 1, "not conclusive": 4}


@dataclass(frozen=True)
class Unjudged:
    """A case, or one metric of it, that got no verdict."""

    case: str
    metric: str | None
    """None for all metrics of the case."""
    reason: str


@dataclass(frozen=True)
class Gate:
    """What a gate says. Every comparison stands in one of the first three; what has no ratio in the last two."""

    regressed: tuple[Comparison, ...]
    doubtful: tuple[Comparison, ...]
    """Whether they regressed cannot be told."""
    held: tuple[Comparison, ...]
    """Surely not worse by more than the threshold; maybe better."""
    lost: tuple[Unjudged, ...]
    """Failed, or judged in the baseline and not any more."""
    not_judged: tuple[Unjudged, ...]
    """Without consequence: new cases, and energy that nobody measured."""

    @property
    def outcome(self) -> Outcome:
        if self.regressed:
            return "regression"
        return "not conclusive" if self.doubtful or self.lost else "fine"

    @property
    def exit_code(self) -> int:
        """0 fine, 1 a regression, 4 not conclusive."""
        return CODES[self.outcome]

    def label(self, one: Comparison) -> str:
        """What it says of `one`: regressed, in doubt, held or not judged."""
        key = _key(one)
        for word, some in (("regressed", self.regressed), ("in doubt", self.doubtful), ("held", self.held)):
            if any(_key(other) == key for other in some):
                return word
        return "not judged"


def _key(one: Comparison) -> tuple[str, str, str]:
    return one.pair.a.id, one.pair.b.id, one.metric.key


def evaluate(
    found: ComparisonResult,
    a: RunFile,
    b: RunFile,
    thresholds: Thresholds,
    allow_estimates: bool = False,
) -> Gate:
    """The verdict on `found`, the comparison of `b` with the baseline `a`.

    NotComparableError where no comparison can be judged, unless that is because a case failed.
    """
    judged: list[Comparison] = []
    lost: list[Unjudged] = []
    aside: list[Unjudged] = []
    for one in found.comparisons:
        if one.ratio is None or (one.estimated and not allow_estimates):
            lapse, counts = _unjudged(one, thresholds)
            (lost if counts else aside).append(lapse)
        else:
            judged.append(one)
    lost += [
        Unjudged(case.id, None, found.missing_reasons[case.id])
        for case in _named(a, found.only_a)
        if case.status == "ok"
    ]
    for case in _named(b, found.only_b):
        failed = case.status == "failed"
        (lost if failed else aside).append(Unjudged(case.id, None, _alone(case, found)))
    gate = Gate(
        regressed=tuple(one for one in judged if one.regressed),
        doubtful=tuple(one for one in judged if not one.regressed and not one.held),
        held=tuple(one for one in judged if one.held),
        lost=tuple(dict.fromkeys(lost)),
        not_judged=tuple(dict.fromkeys(aside)),
    )
    if not judged and not any(case.status == "failed" for case in b.cases):
        raise nothing_comparable(a, b, [one.reason for one in (*gate.lost, *gate.not_judged)])
    return gate


def nothing_comparable(a: RunFile, b: RunFile, why: Iterable[str], by: str | None = None) -> NotComparableError:
    """The error for two runs of which nothing can be compared: the most frequent reasons, and how often each holds."""
    reasons = Counter(why)
    if a.run.id == b.run.id and not reasons:
        return NotComparableError(f"no two cases of {b.run.id} are alike in all but {by}.")
    said = "neither has a case"
    if reasons:
        said = next(iter(reasons))
        if len(reasons) > 1:
            most = (f"{count} of {reasons.total()} times: {reason}" for reason, count in reasons.most_common(3))
            said = "; ".join(most)
    return NotComparableError(f"nothing in {b.run.id} can be compared with {a.run.id}: {said}.")


def _named(run_file: RunFile, ids: Iterable[str]) -> list[Case]:
    wanted = set(ids)
    return [case for case in run_file.cases if case.id in wanted]


def _alone(case: Case, found: ComparisonResult) -> str:
    """Why a case of the run that the baseline lacks got no verdict."""
    if case.status != "ok":
        return f"{case.status}: {case.reason or 'no trial counted'}"
    return "new: " + found.missing_reasons[case.id]


def _unjudged(one: Comparison, thresholds: Thresholds) -> tuple[Unjudged, bool]:
    """Why a comparison gets no verdict, and whether that counts."""
    pair = one.pair
    if pair.incomparable is not None:
        return Unjudged(pair.b.id, None, _unlike(pair)), pair.a.status == "ok" or pair.b.status == "failed"
    reason = one.reason or "no value"
    asked = one.metric.key in thresholds.requested
    if one.metric.energy:
        measured = [bool(_measured(case)) for case in (pair.a, pair.b)]
        if not any(measured) and one.estimated:
            reason = "it was estimated, not measured (--allow-estimates judges it all the same)"
        return Unjudged(pair.b.id, one.metric.key, reason), measured[0] or asked
    return Unjudged(pair.b.id, one.metric.key, reason), one.values[0] is not None or asked


def _unlike(pair: Pair) -> str:
    if pair.a.status != "ok" and pair.b.status == "ok":
        return f"new: the baseline's {pair.incomparable}"
    if pair.b.status != "ok":
        return f"{pair.b.status}: {pair.b.reason or 'no trial counted'}"
    return pair.incomparable or ""


def _measured(case: Case) -> bool:
    """Whether its energy comes from a sensor."""
    found = case_energy(case.trials)
    return bool(found.trials) and found.kind != "model"


def without_invalid_cases(found: ComparisonResult) -> ComparisonResult:
    """`found` without the intervals of cases that are not valid: these prove nothing."""
    return replace(found, comparisons=tuple(_valid(one) for one in found.comparisons))


def _valid(one: Comparison) -> Comparison:
    for side, case in (("A", one.pair.a), ("B", one.pair.b)):
        notice = next((notice for notice in case.notices if notice.code in INVALIDATING), None)
        if notice is not None:
            reason = f"{side} is not valid: {notice.message}"
            return replace(one, low=None, high=None, verdict="inconclusive", reason=reason)
    return one
