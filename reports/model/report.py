"""The data of a whole report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joulemark.reports.anonymous import anonymous as without_names
from joulemark.reports.markers import framework_title
from joulemark.reports.model.beside import MAX_RUNS, Beside, beside_references
from joulemark.reports.model.best import best_cells
from joulemark.reports.model.cases import CaseView, case_views, run_label
from joulemark.reports.model.comparison import RunComparison, compare_runs
from joulemark.reports.model.headline import Headline, headline
from joulemark.reports.model.history import CaseSeries, case_series
from joulemark.reports.model.jobs import JobView, are_one_job, job_views
from joulemark.reports.model.machine import MachineFacts, machine_facts, machine_name
from joulemark.reports.model.pairs import Pair, arm_pairs, framework_pairs
from joulemark.reports.model.ranking import Ranking, rankings
from joulemark.reports.model.runs import RunView, run_view
from joulemark.reports.model.sweep import sweep_headline
from joulemark.reports.model.tiles import TileGroup, default_tile_group, tile_groups
from joulemark.reports.model.warnings import Warnings, report_warnings
from joulemark.reports.model.work import WorkCounts, work_counts
from joulemark.reports.model.years import YearRow, year_notes, year_rows
from joulemark.suite.records import RunFile
from joulemark.suite.results.table import Table

if TYPE_CHECKING:
    from joulemark.suite.carbon.ember import Country
    from joulemark.suite.results.references.kept import Reference

MAX_DETAILED = 12
"""Runs that are described one by one: a page with the traces and facts of hundreds would not open."""


@dataclass(frozen=True)
class Report:
    """Everything on the page."""

    title: str
    runs: tuple[RunView, ...]
    table: Table
    cases: tuple[CaseView, ...]
    """One for each row of the table, in its order."""
    best: frozenset[tuple[str, str]]
    """(case, column) of the cells that are best in their group."""
    common: tuple[str, ...]
    """What all cases share, for people: `size small`, `cpu`, `fp32`."""
    warnings: Warnings
    pairs: tuple[Pair, ...]
    """Framework over framework."""
    arms: tuple[Pair, ...]
    """Arm B over arm A of A/B runs."""
    headline: Headline
    tile_groups: tuple[TileGroup, ...]
    default_tiles: str
    """Key of the tile group that the page opens with; empty if there are none."""
    comparison: RunComparison | None
    """None for one run, and for nodes that did one thing together."""
    history: tuple[CaseSeries, ...]
    anonymous: bool
    zones: tuple[Country, ...] = ()
    """Countries of the what-if."""
    work: WorkCounts | None = None
    """What a step of each case does; None if no trial counted it."""
    beside: tuple[Beside, ...] = ()
    """The runs against reference machines."""
    machines: tuple[MachineFacts, ...] = ()
    """The headline of each run, of MAX_RUNS at most."""
    years: tuple[YearRow, ...] = ()
    """What a year of each unit's work takes, for the same runs."""
    year_notes: tuple[str, ...] = ()
    """Why the energy of a reference is left out of them, or all of it."""
    rankings: tuple[Ranking, ...] = ()
    """Machines in order, where there are several."""
    jobs: tuple[JobView, ...] = ()
    """Jobs that the runs are nodes of."""

    @property
    def shown(self) -> tuple[CaseView, ...]:
        """The cases of the charts: those with a summary, the latest if a machine measured one several times."""
        return tuple(view for view in self.cases if view.current and view.case.summary is not None)

    @property
    def detailed(self) -> tuple[RunView, ...]:
        """The runs whose sensors, environment and power stand on the page: all, or the first of very many."""
        return self.runs if len(self.runs) <= MAX_DETAILED else self.runs[:MAX_DETAILED]

    def run(self, view: CaseView) -> RunView:
        """Return the run of `view`."""
        return next(run for run in self.runs if run.label == view.run)

    def file(self, view: CaseView) -> RunFile:
        """Return the run file of `view`."""
        return self.run(view).file


def build(
    run_files: Sequence[RunFile],
    anonymous: bool = False,
    zones: Sequence[Country] = (),
    references: Sequence[Reference] = (),
    price: float | None = None,
    lost_nodes: Mapping[int, str] | None = None,
) -> Report:
    """Return the report of `run_files`, in their order, beside `references`. Raises ValueError if there are none.

    `price` is that of a kilowatt-hour, for what a year costs; `lost_nodes` are nodes of a job without a run, with the
    reason.
    """
    if not run_files:
        raise ValueError("a report needs at least one run file")
    files = without_names(run_files) if anonymous else list(run_files)
    table, cases, common = case_views(files)
    pairs = framework_pairs(files, cases)
    groups = tile_groups(cases, pairs)
    years = _years(files, references, price)
    return Report(
        title=_title(files),
        runs=tuple(run_view(run_label(i), file, anonymous) for i, file in enumerate(files)),
        table=table,
        cases=cases,
        warnings=report_warnings(files, cases),
        best=best_cells(table.columns, cases, all(file.settings.allow_estimates for file in files)),
        common=common,
        pairs=pairs,
        arms=arm_pairs(files, cases),
        headline=sweep_headline(files) or headline(cases, pairs),
        tile_groups=groups,
        default_tiles=default_tile_group(groups),
        comparison=None if are_one_job(files) else compare_runs(files, cases),
        history=case_series(files, cases),
        anonymous=anonymous,
        zones=tuple(sorted(zones, key=lambda zone: zone.name)),
        work=work_counts(cases),
        beside=beside_references(files, cases, references),
        machines=_machines(files, cases),
        years=years,
        year_notes=year_notes(files, years, references),
        rankings=() if are_one_job(files) else rankings(files),
        jobs=job_views(files, lost_nodes),
    )


def _machines(files: Sequence[RunFile], cases: Sequence[CaseView]) -> tuple[MachineFacts, ...]:
    if len(files) > MAX_RUNS:
        return ()
    labelled = [(run_label(i), file) for i, file in enumerate(files)]
    return tuple(machine_facts(label, file, [view for view in cases if view.run == label]) for label, file in labelled)


def _years(files: Sequence[RunFile], references: Sequence[Reference], price: float | None) -> tuple[YearRow, ...]:
    labelled = [(run_label(i), file) for i, file in enumerate(files)] if len(files) <= MAX_RUNS else []
    return tuple(row for label, file in labelled for row in year_rows(label, file, references, price))


def _title(files: Sequence[RunFile]) -> str:
    cases = [case for file in files for case in file.cases]
    workloads = list(dict.fromkeys(case.workload for case in cases))
    frameworks = [framework_title(name) for name in dict.fromkeys(case.framework for case in cases)]
    shown = _listed(workloads) if len(workloads) <= 4 else f"{len(workloads)} workloads"
    work = f"{shown or 'No case'} in {_listed(frameworks) or 'no framework'}"
    return f"{machine_name(files[0])}: {work}" if len(files) == 1 and cases else work


def _listed(names: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
