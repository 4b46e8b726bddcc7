"""Counts in words, for the terminal, Markdown and `--json`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from joulemark.suite.records import CountKind
from joulemark.suite.stats.work_counts.comparison import CountComparison
from joulemark.suite.units import prefix, significant

_MOST_DIGITS = 15
"""A double has as many."""


def values_text(kind: CountKind, values: Sequence[float | None]) -> list[str]:
    """Return values of one count in one unit, with so many digits that different ones look different."""
    if not kind.unit:
        return ["" if value is None else f"{value:,.0f}" for value in values]
    factor, name = prefix(max((value for value in values if value is not None), default=0.0))
    different = len({value for value in values if value is not None})
    for digits in range(3, _MOST_DIGITS):
        texts = ["" if value is None else significant(value / factor, digits) for value in values]
        if len({text for text in texts if text}) == different:
            break
    return [f"{text} {name}{kind.unit}" if text else "" for text in texts]


def change_text(comparison: CountComparison) -> str:
    """Return how a count changed: `operators 412 -> 440`, `allocations 210 -> 232 MB`."""
    a, b = values_text(comparison.kind, comparison.values)
    unit = f" {b.rpartition(' ')[2]}" if comparison.kind.unit else ""
    return f"{comparison.kind.title} {a.removesuffix(unit)} -> {b}"


def work_text(counts: Iterable[CountComparison]) -> str:
    """Return what the counts of one pair say: what changed, that nothing did, or nothing if none was compared."""
    compared = [each for each in counts if each.verdict != "not comparable"]
    changed = [change_text(each) for each in compared if each.changed]
    if changed:
        return f"{', '.join(changed)} a step"
    if not compared:
        return ""
    return f"a step does the same work ({_listed([each.kind.title for each in compared if each.verdict == 'same'])})"


def sentence(comparison: CountComparison) -> str:
    """Return what B does against A: `operators grew from 412 to 440 a step`; empty if that is not known."""
    if not comparison.changed:
        return ""
    a, b = values_text(comparison.kind, comparison.values)
    verb = "grew" if comparison.verdict == "more" else "fell"
    return f"{comparison.kind.title} {verb} from {a} to {b} a step"


def _listed(titles: Sequence[str]) -> str:
    return ", ".join(titles) if titles else "nothing to compare"
