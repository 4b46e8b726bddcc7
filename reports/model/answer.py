"""The answer: what was found, in sentences that say no more than their intervals allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from reports.model.cases import CaseView, Group
from reports.model.pairs import Pair, Ratio, overall
from suite.results.table import matched
from suite.units import counted

TILES = ("throughput", "energy_per_item_j", "emissions_g_per_1000_items", "power_w")
"""Columns of the table that have a tile."""


@dataclass(frozen=True)
class Answer:
    """One work on one device: the four tiles that a reader can choose."""

    key: str
    title: str
    detail: str
    item: str
    cases: tuple[CaseView, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Headline:
    """What the whole report found."""

    sentences: tuple[str, ...]
    caveat: str
    """What weakens all of them; empty where nothing does."""


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


def headline(cases: Sequence[CaseView], pairs: Sequence[Pair]) -> Headline:
    """The report in a sentence or two a pair of frameworks: geometric means over everything they share."""
    chosen: dict[tuple[str, str, str], list[Pair]] = defaultdict(list)
    for found in pairs:
        if found.default:
            chosen[found.one.name, found.other.name, _place(found, cases)].append(found)
    sentences = tuple(_overall(names, of_names) for names, of_names in chosen.items())
    unlike = any(not found.alike for of_names in chosen.values() for found in of_names)
    caveat = "Eager and graph modes are unlike: this is each framework as most people run it." if unlike else ""
    return Headline(sentences or (_alone(cases),), caveat)


def _overall(names: tuple[str, str, str], found: Sequence[Pair]) -> str:
    one, other, place = names
    one_run = all(p.one.run == p.other.run for p in found)
    speed = overall([p.throughput for p in found], "throughput", one_run)
    energy = overall([p.energy for p in found], "energy", one_run)
    where = (
        f"On {place}, over {len(found)} pairs of cases" if len(found) > 1 else f"On {place}, in {found[0].one.title}"
    )
    return f"{where}, {_claim(one, other, speed, energy)}"


def _place(found: Pair, cases: Sequence[CaseView]) -> str:
    """`the CPU`, and of which run where there are several."""
    device = "the CPU" if found.one.case.device == "cpu" else found.one.case.device
    if len({view.run for view in cases}) == 1:
        return device
    runs = dict.fromkeys((found.one.run, found.other.run))
    return f"{device} of run {' and '.join(runs)}"


def _answer(key: str, views: Sequence[CaseView], pairs: Sequence[Pair]) -> Answer:
    keys = {view.key for view in views}
    found = [p for p in pairs if {p.one.key, p.other.key} <= keys]
    sentences = tuple(_sentence(p) for p in found)
    first = views[0]
    return Answer(key, first.title, first.detail, first.case.item, tuple(views), sentences)


def _sentence(p: Pair) -> str:
    claim = _claim(p.one.name, p.other.name, p.throughput, p.energy)
    return claim[0].upper() + claim[1:] + ("" if p.alike else " Their modes are unlike.")


def _claim(one: str, other: str, speed: Ratio, energy: Ratio) -> str:
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
    text, low, high = matched(ratio.value, ratio.low, ratio.high)
    return f"{text} times", f" [{low}, {high}]" if low else ""


def interval(ratio: Ratio) -> str:
    """`1.02 [0.95, 1.10]`; the value alone without an interval, and the reason without a value."""
    if ratio.value is None:
        return ratio.reason
    text, low, high = matched(ratio.value, ratio.low, ratio.high)
    return text + (f" [{low}, {high}]" if low else "")


def _alone(cases: Sequence[CaseView]) -> str:
    """What to say where no two frameworks share a workload."""
    measured = [view for view in cases if view.case.summary is not None]
    if not measured:
        return "Nothing was measured: every case failed or was skipped."
    names = sorted({view.mark.name for view in measured})
    verb = "was measured" if len(measured) == 1 else "were measured"
    return f"{counted(len(measured), 'case')} of {', '.join(names)} {verb}; no two frameworks share one to compare."
