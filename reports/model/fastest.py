"""Three or more frameworks on one device: which is the fastest, and which uses the least energy, if that is certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.reports.model.cases import Group
from joulemark.reports.model.ratios import Ratio, ratio_text

_JUDGED: Final = frozenset({"more", "less", "same", "inconclusive"})

_Ratios = Mapping[tuple[str, str], Ratio]
"""First over second framework."""


@dataclass(frozen=True)
class Finding:
    """What two frameworks differ by on one device, in the geometric mean over the tasks that they share."""

    place: str
    """For people: `the CPU`."""
    first: str
    second: str
    tasks: frozenset[Group]
    speed: Ratio
    """First over second."""
    energy: Ratio
    sentence: str


def fastest(findings: Sequence[Finding]) -> str:
    """Return which framework is ahead of each other one, of the findings on one place.

    A framework is called the fastest only where the interval of each of its ratios says so. Returns an empty text for
    fewer than three frameworks, if two of them share no task, and without intervals.
    """
    n = len({name for finding in findings for name in (finding.first, finding.second)})
    if n < 3 or len(findings) < n * (n - 1) / 2 or any(finding.speed.verdict not in _JUDGED for finding in findings):
        return ""
    speeds = _oriented([(f.first, f.second, f.speed) for f in findings])
    energies = _oriented([(f.first, f.second, f.energy.inverse) for f in findings])
    same_tasks = len({finding.tasks for finding in findings}) == 1
    count = len(findings[0].tasks)
    mean = ""
    if not same_tasks:
        mean = ", in the geometric mean over the tasks that each two share"
    elif count > 1:
        mean = f", in the geometric mean over {count} tasks"
    ahead = _ahead_of_all(speeds)
    if ahead:
        others = _others(ahead, speeds)
        ratios = [f"{ratio_text(speeds[ahead, other])} times as fast as {other}" for other in others]
        claim = f"{ahead} is the fastest: {' and '.join(ratios)}"
    else:
        unbeaten = [name for name in _names(speeds) if not any(r.verdict == "less" for r in _of(name, speeds))]
        claim = "which framework is the fastest is not certain"
        claim += f": none is shown to be faster than {' or '.join(unbeaten)}" if unbeaten else ""
    return f"On {findings[0].place}{mean}, {claim}{_least(ahead, energies, findings)}."


def _oriented(ratios: Sequence[tuple[str, str, Ratio]]) -> _Ratios:
    """Return each ratio both ways; more is better."""
    both = {(first, second): ratio for first, second, ratio in ratios}
    return both | {(second, first): ratio.inverse for (first, second), ratio in both.items()}


def _names(ratios: _Ratios) -> list[str]:
    return list(dict.fromkeys(name for name, _ in ratios))


def _of(name: str, ratios: _Ratios) -> list[Ratio]:
    return [ratio for (first, _), ratio in ratios.items() if first == name]


def _others(name: str, ratios: _Ratios) -> list[str]:
    """Return the other frameworks, the nearest first."""
    values = {second: ratio.value or 0.0 for (first, second), ratio in ratios.items() if first == name}
    return sorted(values, key=values.__getitem__)


def _ahead_of_all(ratios: _Ratios) -> str:
    """Return the framework that is certainly ahead of each other one; empty for none."""
    return next((name for name in _names(ratios) if all(ratio.verdict == "more" for ratio in _of(name, ratios))), "")


def _least(ahead: str, energies: _Ratios, findings: Sequence[Finding]) -> str:
    """Return the part of the sentence about energy; empty where it was not judged."""
    if any(finding.energy.verdict not in _JUDGED for finding in findings):
        return ""
    noun = "estimated energy" if any(finding.energy.estimated for finding in findings) else "energy"
    least = _ahead_of_all(energies)
    if not least:
        return f"; which uses the least {noun} per item is not certain"
    ratios = [
        f"{ratio_text(energies[least, other].inverse)} times that of {other}" for other in _others(least, energies)
    ]
    who = " and it" if least == ahead else f"; {least}"
    return f"{who} uses the least {noun} per item: {' and '.join(ratios)}"
