"""A run beside reference machines: the cases that they share, and the index over a fixed basket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joulemark.reports.data_table import DataTable, TableValue, data_table
from joulemark.reports.markers import framework_title
from joulemark.reports.model.cases import CaseView, case_views, run_label
from joulemark.reports.model.pairs import Pair, pairs_of
from joulemark.reports.model.ratios import Ratio
from joulemark.suite.records import RunFile
from joulemark.suite.stats.comparison import Comparison
from joulemark.suite.stats.machines import text
from joulemark.suite.stats.machines.compared import compare_with_reference
from joulemark.suite.stats.machines.index import indices

if TYPE_CHECKING:
    from joulemark.suite.results.references.kept import Reference

MAX_RUNS = 3
"""Runs that are put beside each reference one by one."""
_HEAD = (
    "case", "items per second", "of the reference", "times as fast", "low", "high", "times the items per joule", "low",
    "high", "what differs",
)  # fmt: skip


@dataclass(frozen=True)
class Beside:
    """One run beside one reference machine."""

    run: str
    """Label of the run."""
    name: str
    title: str
    about: str
    """What the reference is, when and with what it was measured, and whether it is provisional."""
    sentences: tuple[str, ...]
    """The indices."""
    baskets: tuple[str, ...]
    """What each basket in them holds."""
    pairs: tuple[Pair, ...]
    """The run's case over the reference's."""
    table: DataTable
    unmatched: tuple[str, ...]
    """Cases of the same task that cannot be compared, with the reason."""
    others: int
    """Cases of the run that the reference does not have."""

    @property
    def id(self) -> str:
        """Of its figure."""
        return f"beside-{self.name}-{self.run}"


def beside_references(
    run_files: Sequence[RunFile], cases: Sequence[CaseView], references: Sequence[Reference]
) -> tuple[Beside, ...]:
    """Return each run beside each reference machine with which it shares a task; none for more than MAX_RUNS runs."""
    if len(run_files) > MAX_RUNS:
        return ()
    found = []
    for i, run_file in enumerate(run_files):
        views = [view for view in cases if view.run == run_label(i)]
        for reference in references:
            beside = _beside(run_label(i), run_file, views, reference)
            found += [beside] if beside.pairs or beside.unmatched else []
    return tuple(found)


def _beside(run: str, run_file: RunFile, views: Sequence[CaseView], reference: Reference) -> Beside:
    kept = reference.run_file
    _, kept_views, _ = case_views([kept])
    result = compare_with_reference(kept, run_file, allow_estimates=run_file.settings.allow_estimates)
    by_id = {view.case.id: view for view in kept_views}, {view.case.id: view for view in views}
    pairs = pairs_of(result.comparisons, *by_id)
    shown = tuple(pair for pair in pairs if not pair.incomparable)
    notes = {(each.pair.a.id, each.pair.b.id): _note(each) for each in result.comparisons}
    basket_indices = indices(kept, run_file)
    baskets = dict.fromkeys(index.basket for index in basket_indices)
    return Beside(
        run=run,
        name=reference.name,
        title=reference.called,
        about=_about(reference),
        sentences=(
            *reference.own_run_sentences(run_file),
            *text.sentences(text.grouped(basket_indices), reference.called, framework_title),
        ),
        baskets=tuple(f"{basket.name}: {basket.text}, in size {basket.size}, {basket.precision}" for basket in baskets),
        pairs=shown,
        table=data_table(_HEAD, [_row(pair, notes[pair.second.case.id, pair.first.case.id]) for pair in shown]),
        unmatched=tuple(f"{pair.first.full_name}: {pair.incomparable}" for pair in pairs if pair.incomparable),
        others=len(result.only_b),
    )


def _about(reference: Reference) -> str:
    frameworks = ", ".join(
        f"{framework_title(name)} {info.label}" for name, info in reference.run_file.machine.frameworks.items()
    )
    measured = f"Measured {' and '.join(reference.measured)} with {frameworks}"
    return f"{reference.about} {measured}{f'; {reference.caveat}' if reference.caveat else ''}."


def _note(comparison: Comparison) -> str:
    return comparison.pair.note or "the machine alone"


def _row(pair: Pair, note: str) -> list[TableValue]:
    values = [view.quantity("throughput").value for view in (pair.first, pair.second)]
    return [pair.first.full_name, *values, *_ends(pair.throughput), *_ends(pair.energy.inverse), note]


def _ends(ratio: Ratio) -> list[TableValue]:
    if ratio.value is None:
        return [ratio.reason, None, None]
    return [ratio.value, ratio.low, ratio.high]
