"""What a step does, by case, and where runs differ in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from joulemark.reports.data_table import DataTable, TableValue, data_table
from joulemark.reports.model.cases import CaseView
from joulemark.suite.records import COUNTS, RunFile
from joulemark.suite.stats.pairs import pair_cases
from joulemark.suite.stats.thresholds import Thresholds
from joulemark.suite.stats.work_counts.comparison import CountComparison, compare_counts
from joulemark.suite.stats.work_counts.step_counts import StepCount, step_counts
from joulemark.suite.stats.work_counts.text import values_text


def work_table(cases: Iterable[CaseView]) -> DataTable | None:
    """Return the counts of a step of each case, a column for each count that one of them has; None without any."""
    counted = [(view, counts) for view in cases if view.current and (counts := step_counts(view.case))]
    if not counted:
        return None
    kinds = [kind for key, kind in COUNTS.items() if any(key in counts for _, counts in counted)]
    head = ["case", *(f"{kind.title}, {kind.unit}" if kind.unit else kind.title for kind in kinds)]
    rows = [[view.full_name, *(_cell(counts.get(kind.key)) for kind in kinds)] for view, counts in counted]
    return data_table(head, rows)


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
            run,
            count.kind.title,
            *values_text(count.kind, count.values),
            f"{count.verdict} work",
        )
        for run, counts in changes.items()
        for count in counts
    ]
    head = ("case", "run", "a step's", f"run {baseline}", "this run", "that is")
    return data_table(head, rows) if rows else None
