"""The headline: a sentence or two for each pair of frameworks, which claim no more than the intervals allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView, Group
from joulemark.reports.model.fastest import Finding, fastest
from joulemark.reports.model.pairs import Pair
from joulemark.reports.model.ratios import DIGITS, Ratio, mean_ratio, ratio_text
from joulemark.reports.model.without_comparison import without_comparison
from joulemark.suite.results.table import matching_digits
from joulemark.suite.units import counted


@dataclass(frozen=True)
class Headline:
    """The findings of the whole report."""

    sentences: tuple[str, ...]
    caveat: str
    """What limits all of them; empty where nothing does."""
    details: tuple[str, ...] = ()
    """Of three or more frameworks: what each two of them differ by."""


def headline(cases: Sequence[CaseView], pairs: Sequence[Pair]) -> Headline:
    """Return the headline: for each pair of frameworks, geometric means over the tasks they share.

    Every task has one weight, however many of its cases are paired. Where no pair runs in both default modes, pairs of
    like modes are used instead. Of three or more frameworks on one device, one sentence says which is ahead of all.
    """
    chosen: dict[tuple[str, str, str], list[Pair]] = defaultdict(list)
    for pair in [pair for pair in pairs if pair.default_modes] or pairs:
        chosen[pair.first.name, pair.second.name, _place(pair, cases)].append(pair)
    findings: dict[str, list[Finding]] = defaultdict(list)
    for (*_, place), of_place in chosen.items():
        findings[place].append(_finding(place, _without_own_settings(of_place)))
    first = {place: fastest(of_place) for place, of_place in findings.items()}
    details = [each.sentence for place, of_place in findings.items() if first[place] for each in of_place]
    sentences = [
        text
        for place, of_place in findings.items()
        for text in ([first[place]] if first[place] else [each.sentence for each in of_place])
    ]
    mixed = any(not pair.same_mode_class for of_place in chosen.values() for pair in of_place)
    caveats = [
        "Eager, graph and compiled modes are different kinds of execution: this compares each framework in its default"
        " mode."
    ]
    return Headline(
        sentences=tuple(sentences) or without_comparison(cases),
        caveat=" ".join(filter(None, [*(caveats if mixed else []), _superseded(cases)])),
        details=tuple(details),
    )


def claim(first: str, second: str, speed: Ratio, energy: Ratio) -> str:
    """Return `PyTorch eager is 1.25 times as fast as TensorFlow graph [..] and uses 0.80 times the energy per item
    [..].`"""
    if speed.verdict == "less":
        first, second, speed, energy = second, first, speed.inverse, energy.inverse
    times, interval = _times(speed)
    speed_claim = {
        "more": f"{first} is {times} as fast as {second}{interval}",
        "same": f"{first} is as fast as {second} to within {speed.threshold:.0%} ({ratio_text(speed)})",
        "inconclusive": f"the speeds of {first} and {second} are not significantly different ({ratio_text(speed)})",
        "no interval": f"{first} ran {times} as fast as {second} (n=1, no interval)",
        "not comparable": f"the speeds of {first} and {second} cannot be compared: {speed.reason}",
    }[speed.verdict]
    joined = " and" if speed.verdict in {"more", "same", "no interval"} else f"; {first}"
    times, interval = _times(energy)
    noun = "estimated energy" if energy.estimated else "energy"
    more_or_less = f"{joined} uses {times} the {noun} per item{interval}"
    energy_claim = {
        "more": more_or_less,
        "less": more_or_less,
        "same": f"{joined} uses the same {noun} per item to within {energy.threshold:.0%} ({ratio_text(energy)})",
        "inconclusive": f"; {noun} per item is not significantly different ({ratio_text(energy)})",
        "no interval": f"{joined} used {times} the {noun} per item",
        "not comparable": f"; energy cannot be compared ({energy.reason})",
    }[energy.verdict]
    return f"{speed_claim}{energy_claim}."


def _times(ratio: Ratio) -> tuple[str, str]:
    """Return `1.25 times` and ` [1.20, 1.31]`, each empty if there is none."""
    if ratio.value is None:
        return "", ""
    text, low, high = matching_digits(ratio.value, ratio.low, ratio.high, DIGITS)
    return f"{text} times", f" [{low}, {high}]" if low else ""


def _without_own_settings(pairs: Sequence[Pair]) -> list[Pair]:
    """Leave out, of each task, the pairs with execution settings of their own if it also has others."""
    tasks = {pair.first.task for pair in pairs if not pair.first.row.settings}
    return [pair for pair in pairs if not pair.first.row.settings or pair.first.task not in tasks]


def _finding(place: str, pairs: Sequence[Pair]) -> Finding:
    first, second, title = pairs[0].first.name, pairs[0].second.name, pairs[0].first.title
    one_run = all(pair.first.run == pair.second.run for pair in pairs)
    tasks: dict[Group, list[Pair]] = defaultdict(list)
    for pair in pairs:
        tasks[pair.first.task].append(pair)
    speeds = [mean_ratio([pair.throughput for pair in of_task], "throughput", one_run) for of_task in tasks.values()]
    energies = [mean_ratio([pair.energy for pair in of_task], "energy", one_run) for of_task in tasks.values()]
    speed, energy = mean_ratio(speeds, "throughput", one_run), mean_ratio(energies, "energy", one_run)
    if len(pairs) == 1:
        scope = f"On {place}, in {title}"
    elif len(tasks) == 1:
        scope = f"On {place}, in the geometric mean over {len(pairs)} cases of {title}"
    else:
        scope = f"On {place}, in the geometric mean over {len(tasks)} tasks"
    sentence = f"{scope}, {claim(first, second, speed, energy)}{_split(first, second, pairs)}"
    return Finding(place, first, second, frozenset(tasks), speed, energy, sentence)


def _split(first: str, second: str, pairs: Sequence[Pair]) -> str:
    """Return ` Of 9 pairs of cases, PyTorch eager is faster in 5, TensorFlow graph in 2, and 2 are inconclusive.`"""
    verdicts = [pair.throughput.verdict for pair in pairs]
    more, less, same, inconclusive = (verdicts.count(name) for name in ("more", "less", "same", "inconclusive"))
    if len(pairs) == 1 or not more + less + same + inconclusive:
        return ""
    faster = [(first, more), (second, less)] if more >= less else [(second, less), (first, more)]
    counts = [f"{name} {'in' if i else 'is faster in'} {count}" for i, (name, count) in enumerate(faster) if count]
    for count, what in ((same, "equal"), (inconclusive, "inconclusive")):
        counts += [f"{count} {'is' if count == 1 else 'are'} {what}"] if count else []
    listed = ", and ".join(filter(None, [", ".join(counts[:-1]), counts[-1]]))
    return f" Of {len(pairs)} pairs of cases, {listed}."


def _superseded(cases: Sequence[CaseView]) -> str:
    """Return what is left out because a later run on the same machine measured it again; empty for nothing."""
    earlier = [view for view in cases if not view.current and view.case.summary is not None]
    if not earlier:
        return ""
    runs = _runs([view.run for view in earlier])
    left_out = f"{counted(len(earlier), 'case')} of {runs} {'is' if len(earlier) == 1 else 'are'} left out"
    return (
        "Where several runs on one machine measured the same case, only the latest counts: "
        f"{left_out} here and in the charts."
    )


def _runs(labels: Sequence[str]) -> str:
    """Return `run A`, `runs A and B`, or their number if there are more than three."""
    names = list(dict.fromkeys(labels))
    if len(names) > 3:
        return f"{len(names)} runs"
    return f"run {names[0]}" if len(names) == 1 else f"runs {', '.join(names[:-1])} and {names[-1]}"


def _place(pair: Pair, cases: Sequence[CaseView]) -> str:
    """Return `the CPU`, with the runs if there are several."""
    device = "the CPU" if pair.first.case.device == "cpu" else pair.first.case.device
    if len({view.run for view in cases}) == 1:
        return device
    return f"{device} in {_runs([pair.first.run, pair.second.run])}"
