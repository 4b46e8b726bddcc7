"""The headline: the whole report in a sentence or two a pair of frameworks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.reports.model.answer import claim
from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.pairs import Pair, overall
from joulemark.suite.units import counted


@dataclass(frozen=True)
class Headline:
    """What the whole report found."""

    sentences: tuple[str, ...]
    caveat: str
    """What weakens all of them; empty where nothing does."""


def headline(cases: Sequence[CaseView], pairs: Sequence[Pair]) -> Headline:
    """The report in a sentence or two a pair of frameworks: geometric means over all works that they share.

    Every work has one weight, however many of its cases are paired. Where no pair is of both default modes, those of
    like modes stand for them.
    """
    chosen: dict[tuple[str, str, str], list[Pair]] = defaultdict(list)
    for found in [p for p in pairs if p.default] or pairs:
        chosen[found.one.name, found.other.name, _place(found, cases)].append(found)
    sentences = tuple(_overall(names, _plain(of_names)) for names, of_names in chosen.items())
    unlike = any(not found.alike for of_names in chosen.values() for found in of_names)
    caveats = ["Eager and graph modes are unlike: this is each framework as most people run it."] if unlike else []
    return Headline(sentences or (_alone(cases),), " ".join(filter(None, [*caveats, _superseded(cases)])))


def _plain(found: Sequence[Pair]) -> list[Pair]:
    """The pairs of each work without execution settings of their own, where it has any such."""
    works = {p.one.work for p in found if not p.one.row.settings}
    return [p for p in found if not p.one.row.settings or p.one.work not in works]


def _overall(names: tuple[str, str, str], found: Sequence[Pair]) -> str:
    one, other, place = names
    one_run = all(p.one.run == p.other.run for p in found)
    works: dict[Group, list[Pair]] = defaultdict(list)
    for p in found:
        works[p.one.work].append(p)
    speeds = [overall([p.throughput for p in of], "throughput", one_run) for of in works.values()]
    energies = [overall([p.energy for p in of], "energy", one_run) for of in works.values()]
    speed, energy = overall(speeds, "throughput", one_run), overall(energies, "energy", one_run)
    if len(found) == 1:
        where = f"On {place}, in {found[0].one.title}"
    elif len(works) == 1:
        where = f"On {place}, on geometric average over {len(found)} cases of {found[0].one.title}"
    else:
        where = f"On {place}, on geometric average over {len(works)} works"
    return f"{where}, {claim(one, other, speed, energy)}{_split(one, other, found)}"


def _split(one: str, other: str, found: Sequence[Pair]) -> str:
    """` Of 9 pairs of cases, PyTorch eager is faster in 5, TensorFlow graph in 2, and 2 are not told apart.`"""
    verdicts = [p.throughput.verdict for p in found]
    more, less, same, open = (verdicts.count(said) for said in ("more", "less", "same", "inconclusive"))
    if len(found) == 1 or not more + less + same + open:
        return ""
    faster = [(one, more), (other, less)] if more >= less else [(other, less), (one, more)]
    words = [f"{name} {'in' if i else 'is faster in'} {count}" for i, (name, count) in enumerate(faster) if count]
    for count, what in ((same, "the same"), (open, "not told apart")):
        words += [f"{count} {'is' if count == 1 else 'are'} {what}"] if count else []
    said = ", and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    return f" Of {len(found)} pairs of cases, {said}."


def _superseded(cases: Sequence[CaseView]) -> str:
    """What is left out because a later run on the same machine measured it again; empty where nothing is."""
    earlier = [view for view in cases if not view.current and view.case.summary is not None]
    if not earlier:
        return ""
    names = _runs([view.run for view in earlier])
    are = "case of {} is" if len(earlier) == 1 else "cases of {} are"
    return (
        f"Of what several runs measured on one machine the latest counts: {len(earlier)} {are.format(names)} left out "
        "here and in the charts."
    )


def _runs(labels: Sequence[str]) -> str:
    """`run A`, `runs A and B`, or how many where they are more than three."""
    names = list(dict.fromkeys(labels))
    if len(names) > 3:
        return f"{len(names)} runs"
    return f"run {names[0]}" if len(names) == 1 else f"runs {', '.join(names[:-1])} and {names[-1]}"


def _place(found: Pair, cases: Sequence[CaseView]) -> str:
    """`the CPU`, and of which run where there are several."""
    device = "the CPU" if found.one.case.device == "cpu" else found.one.case.device
    if len({view.run for view in cases}) == 1:
        return device
    return f"{device} of {_runs([found.one.run, found.other.run])}"


def _alone(cases: Sequence[CaseView]) -> str:
    """What to say where no two frameworks share a workload."""
    measured = [view for view in cases if view.case.summary is not None]
    if not measured:
        return f"Nothing was measured: {'every case failed or was skipped' if cases else 'no case was planned'}."
    names = sorted({view.mark.name for view in measured})
    verb = "was measured" if len(measured) == 1 else "were measured"
    return f"{counted(len(measured), 'case')} of {', '.join(names)} {verb}; no two frameworks share one to compare."
