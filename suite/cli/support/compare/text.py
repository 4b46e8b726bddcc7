"""A comparison for people: in a terminal, and as Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.text import Text

from joulemark.suite.cli.support.compare.documents import RunComparison, work_of_doubt
from joulemark.suite.energy.attribution import is_estimated
from joulemark.suite.records import COUNTS, ArmName, RunFile
from joulemark.suite.results.table import ESTIMATED
from joulemark.suite.stats import verdicts
from joulemark.suite.stats.comparison import Comparison, ComparisonResult
from joulemark.suite.stats.gate import Gate, Unjudged
from joulemark.suite.stats.metrics import METRICS
from joulemark.suite.stats.verdicts import case_title
from joulemark.suite.stats.work_counts import text as work
from joulemark.suite.stats.work_counts.comparison import CountComparison
from joulemark.suite.system.text import one_line, printable
from joulemark.suite.terminal.console import print_text
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.units import quantity

MAX_BYTES = 65_000
"""GitHub accepts 65,536 characters in a comment."""
MAX_FINDINGS = 30


def print_comparison(comparison: RunComparison) -> None:
    """Print a comparison on standard output."""
    ratio_title = f"B/A\n[{100 * comparison.result.confidence:g} %]"
    numbers = (Column(name, right=True) for name in ("A", "B", ratio_title, "n"))
    table = AdaptiveTable("Case", Column("Metric", wrap=True), *numbers, Column("Verdict", wrap=True))
    for case, metric, a, b, ratio, count, verdict in (map(one_line, row) for row in _rows(comparison)):
        table.add(case, metric, a, b, ratio.replace(" [", "\n["), count, Text(verdict, style=_style(verdict)))
    lines = [printable(line.replace("\n", " ")) for line in _lines_below(comparison)]
    print_text(
        Text("\n".join(map(one_line, _head(comparison))) + "\n"),
        table,
        *([Text("\n" + "\n".join(lines))] if lines else []),
    )


def markdown(comparison: RunComparison, title: str, sentences: Sequence[str]) -> str:
    """Return the comparison as Markdown below `title` and `sentences`, cut to the length of a GitHub comment."""
    from joulemark.reports.escape import for_markdown, markdown_table

    header = ["Case", "Metric", "A", "B", f"B/A [{100 * comparison.result.confidence:g} %]", "n", "Verdict"]
    rows, case = [], ""
    for cells in _rows(comparison):
        case = cells[0] or case
        rows.append([for_markdown(cell) for cell in [case, *cells[1:]]])
    top = [f"### {for_markdown(title)}", "", *(f"- {for_markdown(sentence)}" for sentence in sentences)]
    top += ["", *(f"{for_markdown(line)}  " for line in _head(comparison)), ""]
    details = [f"- {for_markdown(line)}" for line in _lines_below(comparison)]
    if details:
        details = ["", "<details><summary>Details</summary>", "", *details, "", "</details>"]
    omitted = 0
    while True:
        note = ["", f"{omitted} more rows are omitted to stay within the length of a comment."] if omitted else []
        table = markdown_table(header, rows, frozenset({2, 3, 4, 5}))
        text = "\n".join([*top, *table, *note, *details]) + "\n"
        if len(text.encode()) <= MAX_BYTES or not rows:
            return text
        dropped = max(1, len(rows) // 10)
        rows, omitted = rows[:-dropped], omitted + dropped


def findings(gate: Gate) -> list[str]:
    """Return a sentence per regression and lost case, at most MAX_FINDINGS; the table has them all."""
    sentences = [
        f"Regressed: {case_title(comparison)}: {verdicts.sentence(comparison)}; "
        f"the threshold is {100 * comparison.threshold:g} %."
        for comparison in gate.regressed
    ]
    grown: dict[str, list[str]] = defaultdict(list)
    for count in gate.more_work:
        limit = f" (threshold {100 * count.threshold:g} %)" if count.threshold else ""
        grown[case_title(count)].append(f"{work.change_text(count)}{limit}")
    sentences += [f"Regressed: {title}: more work a step: {', '.join(texts)}." for title, texts in grown.items()]
    sentences += [f"Lost: {case}: {text}." for text, case in _unjudged(gate.lost)]
    more = len(sentences) - MAX_FINDINGS
    return sentences[:MAX_FINDINGS] + ([f"And {more} more."] if more > 0 else [])


def verdict_counts(result: ComparisonResult) -> str:
    """Return how many comparisons have each verdict: `3 faster, 1 slower, 2 same`."""
    labels = [comparison.label for comparison in result.comparisons]
    return ", ".join(f"{labels.count(label)} {label}" for label in dict.fromkeys(labels))


def _style(verdict: str) -> str:
    if verdict.startswith(("REGRESSED", "slower", "more", "starts slower")):
        return "red"
    return "green" if verdict.startswith(("faster", "less", "starts faster")) else ""


def _head(comparison: RunComparison) -> list[str]:
    """Return which runs or arms are compared."""
    a, b, by = comparison.a, comparison.b, comparison.by
    if by == "arm":
        return [f"{b.run.id}, measured turn by turn", *(_arm_text(b, name) for name in ("a", "b"))]
    if a.run.id == b.run.id:
        return [f"{b.run.id} with itself{f', by {by}' if by else ''}"]
    return [
        f"{side}: {run.run.id}, {run.machine.hostname}{'' if run.run.complete else ', NOT COMPLETE'}"
        for side, run in (("A", a), ("B", b))
    ]


def _arm_text(run_file: RunFile, name: ArmName) -> str:
    """Return the interpreter of an arm and its settings."""
    arm, settings = run_file.arms.get(name), run_file.settings.arms.get(name)
    interpreter = f"{arm.interpreter} (Python {arm.python}, joulemark {arm.suite_version})" if arm else "not known"
    values = [f"{axis.replace('_', ' ')} {value}" for axis, value in settings.axes().items()] if settings else []
    return ", ".join([f"{name.upper()}: {interpreter}", *values])


def _rows(comparison: RunComparison) -> Iterator[list[str]]:
    """Yield case, metric, A, B, ratio, trials, verdict; `_lines_below` has what has no ratio."""
    result = comparison.result
    emissions = {pair.title: pair for pair in verdicts.pair_emissions(result, comparison.a.emissions)}
    metrics: dict[str, list[Comparison]] = defaultdict(list)
    counts: dict[str, list[CountComparison]] = defaultdict(list)
    for each in sorted(result.comparisons, key=lambda each: list(METRICS).index(each.metric.key)):
        metrics[case_title(each)].append(each)
    for count in result.counts:
        counts[case_title(count)].append(count)
    for title in dict.fromkeys([*map(case_title, result.comparisons), *counts]):
        compared = (each for each in metrics[title] if each.ratio is not None)
        rows = [row for each in compared for row in _metric_rows(each, comparison, emissions)]
        rows += [_count_row(each, comparison.gate) for each in counts[title] if each.changed]
        for i, row in enumerate(rows):
            yield [title if i == 0 else "", *row]


def _metric_rows(
    each: Comparison, comparison: RunComparison, emissions: Mapping[str, verdicts.PairEmissions]
) -> Iterator[list[str]]:
    """Yield the row of one metric of a case without its first cell; below that of energy, one of emissions."""
    marks = [ESTIMATED if each.metric.energy and is_estimated(case) else "" for case in (each.pair.a, each.pair.b)]
    a, b = (mark + verdicts.value_text(each.metric, value) for mark, value in zip(marks, each.values, strict=True))
    count = str(each.n[0]) if each.n[0] == each.n[1] else f"{each.n[0]}, {each.n[1]}"
    yield [each.metric.title, a, b, verdicts.ratio_text(each), count, _verdict_text(each, comparison)]
    if each.metric.energy:
        pair = emissions[case_title(each)]
        texts = [mark + quantity(value, "g") for mark, value in zip(marks, (pair.a, pair.b), strict=True)]
        yield ["CO2e/1,000 items", *texts, "as energy", "", ""]


def _count_row(count: CountComparison, gate: Gate | None) -> list[str]:
    """Return the row of a count that changed without its first cell."""
    title = f"{count.kind.title[0].upper()}{count.kind.title[1:]} a step"
    ratio = "" if count.ratio is None else f"{count.ratio:.3f}"
    n = str(count.n[0]) if count.n[0] == count.n[1] else f"{count.n[0]}, {count.n[1]}"
    regressed = gate is not None and gate.count_label(count) == "regressed"
    verdict = f"{'REGRESSED: ' if regressed else ''}{count.verdict} work"
    return [title, *work.values_text(count.kind, count.values), ratio, n, verdict]


def _verdict_text(comparison: Comparison, run_comparison: RunComparison) -> str:
    """Return the verdict and its caveat, and for a speed that is in doubt what a step does."""
    text, gate = comparison.label, run_comparison.gate
    if gate is not None:
        text = {
            "regressed": f"REGRESSED: {text}",
            "in doubt": f"in doubt ({text})",
            "not judged": f"{text}, not judged",
        }.get(gate.label(comparison), text)
    reason = comparison.reason if comparison.reason != comparison.pair.note else None
    return "; ".join(filter(None, (text, reason, work_of_doubt(comparison, run_comparison))))


def _lines_below(comparison: RunComparison) -> list[str]:
    """Return the lines below the table: what was not compared, caveats, drift, grid, environment."""
    result, gate = comparison.result, comparison.gate
    compared = [each for each in result.comparisons if each.ratio is not None]
    if gate is not None:
        lines = [f"not judged  {line}" for line in _grouped(_unjudged(gate.not_judged))]
    else:
        lines = [f"not comparable  {line}" for line in _without_ratio(result)]
        for side, cases in (("A", result.only_a), ("B", result.only_b)):
            lines += [f"only in {side}  {line}" for line in _grouped((result.missing_reasons[c], c) for c in cases)]
    notes = ((each.pair.note, case_title(each)) for each in compared if each.pair.note)
    lines += [f"note  {line}" for line in _grouped(notes)]
    lines += [f"work  {line}" for line in _grouped(_unchanged_work(comparison))]
    lines += [f"Between runs: {line}." for line in verdicts.drift_labels(result.drift)]
    lines += verdicts.reference_lines(result)
    if any(each.metric.energy for each in compared):
        lines.append(f"Emissions of both on one grid: {_grid_text(comparison)}; shown, never judged.")
    if result.environment:
        lines.append("Differences in the environment:")
        lines += [f"  {name}: {a or 'none'} -> {b or 'none'}" for name, (a, b) in result.environment.items()]
    return lines


def _unchanged_work(comparison: RunComparison) -> Iterator[tuple[str, str]]:
    """Yield (text, case) where steps do the same work and no verdict says so, and where counts cannot be compared."""
    result = comparison.result
    in_verdicts = {case_title(each) for each in result.comparisons if work_of_doubt(each, comparison)}
    pairs = {case_title(each): each.pair for each in result.counts}
    for title, pair in pairs.items():
        counts = result.counts_of(pair)
        if title not in in_verdicts and not any(each.changed for each in counts) and (text := work.work_text(counts)):
            yield text, title
        reasons = dict.fromkeys(each.reason for each in counts if each.reason and each.threshold is None)
        yield from ((f"not compared: {reason}", title) for reason in reasons)


def _without_ratio(result: ComparisonResult) -> list[str]:
    return _grouped(
        (f"{'' if each.pair.incomparable else f'{each.metric.title.lower()}: '}{each.reason}", case_title(each))
        for each in result.comparisons
        if each.ratio is None
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return one line per text of the (text, case) pairs, with its first case and the number of others."""
    cases_by_text: dict[str, list[str]] = {}
    for text, case in pairs:
        cases_by_text.setdefault(text, []).append(case)
    lines = []
    for text, cases in cases_by_text.items():
        others = len(set(cases)) - 1
        lines.append(f"{cases[0]}{f' and {others} more' if others else ''}: {text}")
    return lines


def _unjudged(unjudged: Iterable[Unjudged]) -> list[tuple[str, str]]:
    """Return (text, case) of what has no verdict: a case for each reason once, with all metrics that it applies to."""
    titles = {key: metric.title.lower() for key, metric in METRICS.items()}
    titles |= {kind.option: kind.title for kind in COUNTS.values()}
    metrics: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in unjudged:
        metrics[each.case, each.reason] += [titles[each.metric]] if each.metric else []
    return [(": ".join(filter(None, (", ".join(names), reason))), case) for (case, reason), names in metrics.items()]


def _grid_text(comparison: RunComparison) -> str:
    intensity, pue = comparison.a.emissions.intensity, comparison.a.emissions.pue
    return f"{intensity.g_per_kwh:g} g/kWh ({intensity.zone or intensity.source}), PUE {pue.value:g}"
