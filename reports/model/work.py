"""What a step does, by case, and where runs differ in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from joulemark.reports.data_table import DataTable, TableValue, data_table
from joulemark.reports.model.cases import CaseView
from joulemark.suite.records import COUNTS, RunFile
from joulemark.suite.stats.pairs import pair_cases
from joulemark.suite.stats.thresholds import Thresholds
from joulemark.suite.stats.work_counts.comparison import CountComparison, compare_counts
from joulemark.suite.stats.work_counts.step_counts import StepCount, step_counts
from joulemark.suite.stats.work_counts.text import values_text


@dataclass(frozen=True)
class WorkCounts:
    """What a step of each case does."""

    table: DataTable
    """A row for each case, a column for each count that one of them has."""
    missing: tuple[str, ...]
    """The counts that no case has, and why."""


def work_counts(cases: Iterable[CaseView]) -> WorkCounts | None:
    """Return the counts of a step of each case; None without any."""
    counted = [(view, counts) for view in cases if view.current and (counts := step_counts(view.case))]
    by_kind = {kind: [counts[key] for _, counts in counted if key in counts] for key, kind in COUNTS.items()}
    kinds = [kind for kind, of_cases in by_kind.items() if any(count.values for count in of_cases)]
    if not kinds:
        return None
    head = ["case", *(f"{kind.title}, {kind.unit}" if kind.unit else kind.title for kind in kinds)]
    rows = [[view.full_name, *(_cell(counts.get(kind.key)) for kind in kinds)] for view, counts in counted]
    reasons: dict[str, list[str]] = {}
    for kind, of_cases in by_kind.items():
        if of_cases and kind not in kinds:
            reasons.setdefault(of_cases[0].reason or "", []).append(kind.title)
    missing = tuple(f"No {', '.join(titles)}: {reason}." for reason, titles in reasons.items())
    return WorkCounts(data_table(head, rows), missing)


def _cell(count: StepCount | None) -> TableValue:
    """Return a count, the reason why there is none, or a dash for what the framework or mode does not have."""
    if count is None:
        return "-"
    return count.reason if count.value is None else count.value


def changed_counts(first: RunFile, later: RunFile, by: str | None) -> tuple[CountComparison, ...]:
    """Return the counts of steps that differ between two runs."""
    compared = compare_counts(pair_cases(first, later, by).pairs, Thresholds({}))
    return tuple(count for count in compared if count.changed)


def changes_table(
    changes: Mapping[str, Sequence[CountComparison]], names: Mapping[str, Mapping[str, str]], baseline: str
) -> DataTable | None:
    """Return a row for each count that differs from the first run's; None if none does.

    Args:
        changes: By the label of the later run.
        names: The name of each case, by the label of its run and its id.
        baseline: Label of the first run.
    """
    rows = [
        (
            names[run][count.pair.b.id],
            count.kind.title,
            *values_text(count.kind, count.values),
            f"{count.verdict} work",
        )
        for run, counts in changes.items()
        for count in counts
    ]
    head = ("case", "a step's", f"run {baseline}", "this run", "that is")
    return data_table(head, rows) if rows else None
