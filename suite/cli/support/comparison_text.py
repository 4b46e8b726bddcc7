"""A comparison for people: in a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from joulemark.suite.cli.support.comparison import Compared
    from joulemark.suite.records import ArmName, RunFile
    from joulemark.suite.stats.compare import Comparison, ComparisonResult
    from joulemark.suite.stats.gate import Gate, Unjudged

MAX_BYTES = 65_000
"""GitHub takes 65,536 characters in a comment."""

MOST_FINDINGS = 30


def show(compared: Compared) -> None:
    """Print it for people on standard output."""
    from rich.text import Text

    from joulemark.suite.terminal import console
    from joulemark.suite.terminal.tables import AdaptiveTable, Column

    numbers = (Column(name, right=True) for name in ("A", "B", "B/A\n[95 %]", "n"))
    shown = AdaptiveTable("Case", Column("Metric", wrap=True), *numbers, Column("Verdict", wrap=True))
    for cells in _rows(compared):
        *facts, ratio, count, verdict = cells
        shown.add(*facts, ratio.replace(" [", "\n["), count, Text(verdict, style=_style(verdict)))
    parts: list[RenderableType] = [Text("\n".join(_heads(compared)) + "\n"), shown]
    lines = _lines(compared)
    console.print_text(*parts, *([Text("\n" + "\n".join(lines))] if lines else []))


def _style(verdict: str) -> str:
    if verdict.startswith(("REGRESSED", "slower", "more", "starts slower")):
        return "red"
    return "green" if verdict.startswith(("faster", "less", "starts faster")) else ""


def _heads(compared: Compared) -> list[str]:
    by = f", by {compared.by}" if compared.by else ""
    if compared.by == "arm":
        return [f"{compared.b.run.id}, measured turn by turn", *(_arm(compared.b, name) for name in ("a", "b"))]
    if compared.a.run.id == compared.b.run.id:
        return [f"{compared.b.run.id} with itself{by}"]
    return [
        f"{side}: {run.run.id}, {run.machine.hostname}{'' if run.run.complete else ', NOT COMPLETE'}"
        for side, run in (("A", compared.a), ("B", compared.b))
    ]


def _arm(run_file: RunFile, name: ArmName) -> str:
    """What one arm is: its interpreter, and what it sets."""
    found, own = run_file.arms.get(name), run_file.settings.arms.get(name)
    where = f"{found.interpreter} (Python {found.python}, joulemark {found.suite_version})" if found else "not known"
    sets = [f"{axis.replace('_', ' ')} {value}" for axis, value in own.axes().items()] if own else []
    return ", ".join([f"{name.upper()}: {where}", *sets])


def _rows(compared: Compared) -> Iterator[list[str]]:
    """Case, metric, A, B, ratio, trials, verdict; what has no ratio stands in `_lines`."""
    from joulemark.suite.energy.attribution import is_estimated
    from joulemark.suite.results.table import ESTIMATED
    from joulemark.suite.stats import verdicts
    from joulemark.suite.stats.metrics import METRICS
    from joulemark.suite.units import quantity

    found = compared.found
    grams = {one.title: one for one in verdicts.pair_emissions(found, compared.a.emissions)}
    places = {verdicts.case_title(one): place for place, one in reversed(list(enumerate(found.comparisons)))}
    ordered = sorted(
        (one for one in found.comparisons if one.ratio is not None),
        key=lambda one: (places[verdicts.case_title(one)], list(METRICS).index(one.metric.key)),
    )
    for title, some in groupby(ordered, key=verdicts.case_title):
        head = title
        for one in some:
            marks = [ESTIMATED if one.metric.energy and is_estimated(case) else "" for case in (one.pair.a, one.pair.b)]
            values = [verdicts.value_text(one.metric, number) for number in one.values]
            a, b = (mark + value for mark, value in zip(marks, values, strict=True))
            count = str(one.n[0]) if one.n[0] == one.n[1] else f"{one.n[0]}, {one.n[1]}"
            yield [head, one.metric.title, a, b, verdicts.ratio_text(one), count, _word(one, compared.gate)]
            head = ""
            if one.metric.energy:
                both = (grams[title].a, grams[title].b)
                said = [mark + quantity(value, "g") for mark, value in zip(marks, both, strict=True)]
                yield ["", "CO2e/1,000 items", *said, "as energy", "", ""]


def _word(one: Comparison, gate: Gate | None) -> str:
    """The verdict, and what to know of it."""
    word = one.label
    if gate is not None:
        judged = gate.label(one)
        word = {"regressed": f"REGRESSED: {word}", "in doubt": f"in doubt ({word})"}.get(judged, word)
        word = f"{word}, not judged" if judged == "not judged" else word
    return f"{word}; {one.reason}" if one.reason and one.reason != one.pair.note else word


def _lines(compared: Compared) -> list[str]:
    """What stands below the table."""
    from joulemark.suite.stats import verdicts

    found = compared.found
    lines = [f"not comparable  {line}" for line in _without_ratio(compared)] if compared.gate is None else []
    if compared.gate is not None:
        lines += [f"not judged  {_unjudged(one)}" for one in compared.gate.not_judged]
    else:
        lines += [f"only in A  {case}: {found.missing_reasons[case]}" for case in found.only_a]
        lines += [f"only in B  {case}: {found.missing_reasons[case]}" for case in found.only_b]
    notes = [(one.pair.note, verdicts.case_title(one)) for one in found.comparisons if one.pair.note and one.ratio is not None]
    lines += [f"mind  {line}" for line in _together(notes)]
    lines += [f"Between runs: {line}." for line in verdicts.drift_labels(found.drift)]
    if any(one.metric.energy and one.ratio is not None for one in found.comparisons):
        lines.append(f"Emissions of both on one grid: {_grid(compared)}; shown, never judged.")
    if found.environment:
        lines += ["What differs around the cases:", *(f"  {line}" for line in _environment(found))]
    return lines


def _without_ratio(compared: Compared) -> list[str]:
    from joulemark.suite.stats import verdicts

    return _together(
        (f"{'' if one.pair.incomparable else f'{one.metric.title.lower()}: '}{one.reason}", verdicts.case_title(one))
        for one in compared.found.comparisons
        if one.ratio is None
    )


def _together(said: Iterable[tuple[str, str]]) -> list[str]:
    """What is said of several cases in one line: the first of them, and how many more."""
    cases: dict[str, list[str]] = {}
    for text, case in said:
        cases.setdefault(text, []).append(case)
    lines = []
    for text, some in cases.items():
        unique = list(dict.fromkeys(some))
        more = f" and {len(unique) - 1} more" if len(unique) > 1 else ""
        lines.append(f"{unique[0]}{more}: {text}")
    return lines


def _unjudged(one: Unjudged) -> str:
    from joulemark.suite.stats.metrics import METRICS

    subject = f", {METRICS[one.metric].title.lower()}" if one.metric else ""
    return f"{one.case}{subject}: {one.reason}"


def _grid(compared: Compared) -> str:
    used = compared.a.emissions
    return (
        f"{used.intensity.g_per_kwh:g} g/kWh ({used.intensity.zone or used.intensity.source}), PUE {used.pue.value:g}"
    )


def _environment(found: ComparisonResult) -> list[str]:
    return [f"{name}: {a or 'none'} -> {b or 'none'}" for name, (a, b) in found.environment.items()]


def findings(gate: Gate) -> list[str]:
    """A sentence for each regression and each loss, as many as one reads; the rest stands in the table."""
    from joulemark.suite.stats import verdicts

    said = [
        f"Regressed: {verdicts.case_title(one)}: {verdicts.sentence(one)}; the threshold is {100 * one.threshold:g} %."
        for one in gate.regressed
    ]
    said += [f"Lost: {_unjudged(one)}." for one in gate.lost]
    return said[:MOST_FINDINGS] + ([f"And {len(said) - MOST_FINDINGS} more."] if len(said) > MOST_FINDINGS else [])


def counted(found: ComparisonResult) -> str:
    """`3 faster, 1 slower, 2 same`."""
    words = [one.label for one in found.comparisons]
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))


def markdown(compared: Compared, title: str, sentences: Sequence[str]) -> str:
    """It as Markdown, `title` and `sentences` first; rows are left out where a comment could not hold them."""
    from joulemark.reports.escape import for_markdown, markdown_table

    heads = ["Case", "Metric", "A", "B", "B/A [95 %]", "n", "Verdict"]
    rows, last = [], ""
    for cells in _rows(compared):
        last = cells[0] or last
        rows.append([for_markdown(cell) for cell in [last, *cells[1:]]])
    top = [f"### {for_markdown(title)}", "", *(f"- {for_markdown(sentence)}" for sentence in sentences)]
    top += ["", *(f"{for_markdown(head)}  " for head in _heads(compared)), ""]
    lines = _lines(compared)
    below = [
        "",
        "<details><summary>What else to know</summary>",
        "",
        *(f"- {for_markdown(line)}" for line in lines),
        "",
    ]
    below += ["</details>"] if lines else []
    left_out = 0
    while True:
        said = ["", f"{left_out} more rows are left out here, to stay within the length of a comment."]
        body = [
            *top,
            *markdown_table(heads, rows, frozenset({2, 3, 4, 5})),
            *(said if left_out else []),
            *(below if lines else []),
        ]
        text = "\n".join(body) + "\n"
        if len(text.encode()) <= MAX_BYTES or not rows:
            return text
        drop = max(1, len(rows) // 10)
        rows, left_out = rows[:-drop], left_out + drop
