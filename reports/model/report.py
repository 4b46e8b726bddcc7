"""The report as a whole: what the template fills in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from joulemark.reports.model.anonymous import anonymous as without_names
from joulemark.reports.model.answer import Answer, answers, first_choice
from joulemark.reports.model.best import best_cells
from joulemark.reports.model.cases import CaseView, label, views
from joulemark.reports.model.headline import Headline, headline
from joulemark.reports.model.history import Comparison, Series, compare, series
from joulemark.reports.model.pairs import Pair, arm_pairs, framework_pairs
from joulemark.reports.model.runs import RunView, run_view
from joulemark.reports.model.validity import Warnings, warnings
from joulemark.suite.records import RunFile
from joulemark.suite.results.table import Table
from joulemark.suite.trial.frameworks import FRAMEWORKS


class Zone(Protocol):
    """A country's intensity, for the what-if: `suite.carbon.ember.Country` is one."""

    @property
    def code(self) -> str:
        """ISO 3166-1 alpha-2."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def year(self) -> int:
        """Year of the value."""

    @property
    def g_per_kwh(self) -> float:
        """Grams CO2-equivalent per kilowatt-hour."""


@dataclass(frozen=True)
class Report:
    """Everything on the page."""

    title: str
    runs: tuple[RunView, ...]
    table: Table
    cases: tuple[CaseView, ...]
    """One a row of the table, in its order."""
    best: frozenset[tuple[str, str]]
    """(case, column) of the cells that are best of their group."""
    common: tuple[str, ...]
    """What all cases share, for people: `size small`, `cpu`, `fp32`."""
    warnings: Warnings
    pairs: tuple[Pair, ...]
    """Framework over framework."""
    arms: tuple[Pair, ...]
    """Arm B over arm A of A/B runs."""
    headline: Headline
    answers: tuple[Answer, ...]
    opening: str
    """Key of the answer that the page opens with; empty without any."""
    comparison: Comparison | None
    """None for one run."""
    history: tuple[Series, ...]
    anonymous: bool
    zones: tuple[Zone, ...] = ()

    @property
    def shown(self) -> tuple[CaseView, ...]:
        """The cases of the charts: those with a summary, the latest where a machine measured one several times."""
        return tuple(view for view in self.cases if view.current and view.case.summary is not None)

    def run(self, view: CaseView) -> RunView:
        """The run that `view` is of."""
        return next(run for run in self.runs if run.label == view.run)

    def file(self, view: CaseView) -> RunFile:
        """Its run file."""
        return self.run(view).file


def build(run_files: Sequence[RunFile], anonymous: bool = False, zones: Sequence[Zone] = ()) -> Report:
    """The report of `run_files`, in their order. ValueError without any."""
    if not run_files:
        raise ValueError("a report needs at least one run file")
    hosts = list(dict.fromkeys(file.machine.hostname for file in run_files))
    files = [without_names(file, hosts.index(file.machine.hostname) + 1) if anonymous else file for file in run_files]
    table, cases, common = views(files)
    pairs = framework_pairs(files, cases)
    found = answers(cases, pairs)
    return Report(
        title=_title(files),
        runs=tuple(run_view(label(i), file, anonymous) for i, file in enumerate(files)),
        table=table,
        cases=cases,
        warnings=warnings(files, cases),
        best=best_cells(table.columns, cases, all(file.settings.allow_estimates for file in files)),
        common=common,
        pairs=pairs,
        arms=arm_pairs(files, cases),
        headline=headline(cases, pairs),
        answers=found,
        opening=first_choice(found),
        comparison=compare(files, cases),
        history=series(files, cases),
        anonymous=anonymous,
        zones=tuple(sorted(zones, key=lambda zone: zone.name)),
    )


def _title(files: Sequence[RunFile]) -> str:
    workloads = list(dict.fromkeys(case.workload for file in files for case in file.cases))
    frameworks = [
        FRAMEWORKS[name].title if name in FRAMEWORKS else name
        for name in dict.fromkeys(case.framework for file in files for case in file.cases)
    ]
    shown = _listed(workloads) if len(workloads) <= 4 else f"{len(workloads)} workloads"
    return f"{shown or 'No case'} in {_listed(frameworks) or 'no framework'}"


def _listed(names: Sequence[str]) -> str:
    """`a, b and c`"""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
