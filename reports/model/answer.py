"""The answers: what was found of each work, in sentences that say no more than their intervals allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.pairs import Pair, Ratio
from joulemark.suite.results.table import matching_digits

TILES = ("throughput", "energy_per_item_j", "emissions_g_per_1000_items", "power_w")
"""Columns of the table that have a tile."""

_DIGITS = 4
"""Significant digits of a ratio at most: nobody acts upon a difference of a ten-thousandth."""


@dataclass(frozen=True)
class Answer:
    """One work on one device: the four tiles that a reader can choose."""

    key: str
    title: str
    detail: str
    item: str
    cases: tuple[CaseView, ...]
    sentences: tuple[str, ...]


def answers(cases: Sequence[CaseView], pairs: Sequence[Pair]) -> tuple[Answer, ...]:
    """One answer a group of current cases with a summary, in the table's order."""
    groups: dict[Group, list[CaseView]] = defaultdict(list)
    for view in cases:
        if view.current and view.case.summary is not None:
            groups[view.group].append(view)
    return tuple(_answer(f"g{i}", views, pairs) for i, views in enumerate(groups.values()))


def first_choice(found: Sequence[Answer]) -> str:
    """The answer to open with: most frameworks, then training, then a GPU; the first among equals."""
    best = max(
        found,
        key=lambda a: (
            len({view.case.framework for view in a.cases}),
            a.cases[0].case.phase == "training",
            a.cases[0].case.device != "cpu",
        ),
        default=None,
    )
    return best.key if best else ""


def _answer(key: str, views: Sequence[CaseView], pairs: Sequence[Pair]) -> Answer:
    keys = {view.key for view in views}
    found = [p for p in pairs if {p.one.key, p.other.key} <= keys]
    sentences = tuple(_sentence(p) for p in found)
    first = views[0]
    return Answer(key, first.title, first.detail, first.case.item, tuple(views), sentences)


def _sentence(p: Pair) -> str:
    said = claim(p.one.name, p.other.name, p.throughput, p.energy)
    return said[0].upper() + said[1:] + ("" if p.alike else " Their modes are unlike.")


def claim(one: str, other: str, speed: Ratio, energy: Ratio) -> str:
    """`PyTorch eager is 1.25 times as fast as TensorFlow graph [..] and uses 0.80 times the energy an item [..].`"""
    swapped = speed.verdict == "less"
    first, second = (other, one) if swapped else (one, other)
    speed, energy = (speed.inverse, energy.inverse) if swapped else (speed, energy)
    times, ends = _times(speed)
    fast = {
        "more": f"{first} is {times} as fast as {second}{ends}",
        "same": f"{first} is as fast as {second}, within {speed.threshold:.0%} ({interval(speed)})",
        "inconclusive": f"no difference in speed is shown between {first} and {second} ({interval(speed)})",
        "no interval": f"{first} ran {times} as fast as {second} (n=1, no interval)",
        "not comparable": f"{first} and {second} cannot be compared in speed: {speed.reason}",
    }[speed.verdict]
    joined = " and" if speed.verdict in {"more", "same", "no interval"} else f"; {first}"
    times, ends = _times(energy)
    energies = "estimated energy" if energy.estimated else "energy"
    thrifty = {
        "more": f"{joined} uses {times} the {energies} for an item{ends}",
        "less": f"{joined} uses {times} the {energies} for an item{ends}",
        "same": f"{joined} uses the same {energies} for an item, within {energy.threshold:.0%} ({interval(energy)})",
        "inconclusive": f"; no difference in {energies} is shown ({interval(energy)})",
        "no interval": f"{joined} used {times} the {energies} for an item",
        "not comparable": f"; energy cannot be compared ({energy.reason})",
    }[energy.verdict]
    return f"{fast}{thrifty}."


def _times(ratio: Ratio) -> tuple[str, str]:
    """`1.25 times` and ` [1.20, 1.31]`; empty where there is no such thing."""
    if ratio.value is None:
        return "", ""
    text, low, high = matching_digits(ratio.value, ratio.low, ratio.high, _DIGITS)
    return f"{text} times", f" [{low}, {high}]" if low else ""


def interval(ratio: Ratio) -> str:
    """`1.02 [0.95, 1.10]`; the value alone without an interval, and the reason without a value."""
    if ratio.value is None:
        return ratio.reason
    text, low, high = matching_digits(ratio.value, ratio.low, ratio.high, _DIGITS)
    return text + (f" [{low}, {high}]" if low else "")
