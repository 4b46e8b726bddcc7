"""Compare what one step does in two cases: every count by itself, exactly, on any machine. Pure.

B does more if even its lowest trial counts more than A's highest. A count has no interval: where a threshold of 0 asks
for exactly as much, trials agree, or it is not judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from joulemark.suite.records import COUNTS, CountKind
from joulemark.suite.stats.pairs import Pair
from joulemark.suite.stats.thresholds import THRESHOLD, Thresholds
from joulemark.suite.stats.work_counts.step_counts import StepCount, step_counts

Verdict = Literal["more", "less", "same", "in doubt", "not comparable"]
SAME_WORK: Final = ("framework", "mode", "device", "precision", "batch_size", "size", "phase", "workload")
"""Fields in which two cases must agree: what else they count is another program."""


NOT_COUNTED: Final = "it was not counted"


@dataclass(frozen=True)
class CountComparison:
    """One count of one pair of cases."""

    pair: Pair
    kind: CountKind
    values: tuple[float | None, float | None]
    """Means over the trials of A and B; None if it was not counted."""
    n: tuple[int, int]
    """Trials of A and B that counted it."""
    threshold: float | None
    """Relative difference up to which the two are the same; None if it is shown and not judged."""
    requested: bool
    """Whether the user named it; others are judged by default, or only shown."""
    verdict: Verdict
    reason: str | None
    """Why it is not comparable; None if it is."""

    @property
    def ratio(self) -> float | None:
        """B over A; None if one has no value, or A's is 0."""
        a, b = self.values
        return b / a if a and b is not None else None

    @property
    def vanished(self) -> bool:
        """Whether A has it, and B, in the same version, has not even a reason why not."""
        missing_in_b = self.reason == f"B: {NOT_COUNTED}" and self.values[0] is not None
        return missing_in_b and self.pair.versions[0] == self.pair.versions[1]

    @property
    def changed(self) -> bool:
        """Whether B certainly does more or less."""
        return self.verdict in ("more", "less")


def compare_counts(pairs: Iterable[Pair], thresholds: Thresholds) -> tuple[CountComparison, ...]:
    """Return the comparison of each count that both cases of a pair have, or that should be judged and one lacks.

    Counts without a threshold are shown, and not judged: exact ones at every difference, others from 5 % on. Of counts
    that are judged by default, those that both lack are not mentioned.
    """
    return tuple(comparison for pair in pairs for comparison in _of_pair(pair, thresholds))


def _of_pair(pair: Pair, thresholds: Thresholds) -> Iterator[CountComparison]:
    counts_a, counts_b = step_counts(pair.a), step_counts(pair.b)
    other_program = _other_program(pair)
    for key, kind in COUNTS.items():
        a, b = counts_a.get(key), counts_b.get(key)
        requested = kind.option in thresholds.requested
        limit = thresholds.limit(kind.option, pair.b.id)
        if not requested and kind.tuned and pair.b.device != "cpu":
            limit = None
        with_values = _has_values(a) + _has_values(b)
        if limit is None and (other_program is not None or with_values < 2):
            continue
        if not with_values and (not requested or (a is None and b is None and (counts_a or counts_b))):
            continue  # this framework or mode does not have it
        threshold = limit if limit is not None else 0.0 if kind.exact else THRESHOLD
        tolerant = requested and threshold > 0
        reason = other_program or _missing(a, b, threshold) or (None if tolerant else _other_origin(pair, kind))
        verdict: Verdict = "not comparable"
        if reason is None and a is not None and b is not None:
            verdict = verdict_of(a.values, b.values, threshold)
        values = a.mean if a is not None else None, b.mean if b is not None else None
        n = len(a.values) if a is not None else 0, len(b.values) if b is not None else 0
        yield CountComparison(pair, kind, values, n, limit, requested, verdict, reason)


def _has_values(count: StepCount | None) -> bool:
    return count is not None and bool(count.values)


def _other_program(pair: Pair) -> str | None:
    """Return why no counts of A and B may be compared; None if they count the steps of one program."""
    if pair.work_incomparable is not None:
        return pair.work_incomparable
    differing = [name for name in SAME_WORK if getattr(pair.a, name) != getattr(pair.b, name)]
    return f"another {differing[0].replace('_', ' ')} is another program" if differing else None


def _missing(a: StepCount | None, b: StepCount | None, threshold: float) -> str | None:
    """Return why A or B has no value that this threshold can be applied to; None if both have one."""
    for name, count in (("A", a), ("B", b)):
        if count is None:
            return f"{name}: {NOT_COUNTED}"
        if problem := count.missing_reason or (count.disagreement if threshold == 0 else None):
            return f"{name}: {problem}"
    return None


def _other_origin(pair: Pair, kind: CountKind) -> str | None:
    """Return what else than the program a difference may come from; None if from nothing else.

    It does not matter where the user allows for it with a threshold above 0.
    """
    if pair.versions[0] != pair.versions[1]:
        versions = " and ".join(version or "an unknown version" for version in pair.versions)
        return f"versions of {pair.a.framework} differ ({versions}), and so may their counts: give a threshold above 0"
    if not kind.portable and not pair.same_fingerprint:
        return "machines differ, whose libraries may choose other kernels: give a threshold above 0"
    return None


def verdict_of(a: tuple[float, ...], b: tuple[float, ...], threshold: float) -> Verdict:
    """Return the verdict on the values of all trials of A and B."""
    limit = 1 + threshold
    if min(b) > max(a) * limit:
        return "more"
    if max(b) * limit < min(a):
        return "less"
    within = max(b) <= min(a) * limit and min(b) * limit >= max(a)
    return "same" if within else "in doubt"
