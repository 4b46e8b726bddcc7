"""Series of a case over several runs on one machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.reports.model.cases import CaseView, run_label
from joulemark.suite.energy.attribution import is_simulated
from joulemark.suite.records import RunFile
from joulemark.suite.results.history.rows import SIMULATED
from joulemark.suite.results.history.series import energy_kind

MIN_RUNS = 3


@dataclass(frozen=True)
class CaseSeries:
    """One case on one machine over several runs, in order of time."""

    views: tuple[CaseView, ...]
    started_at: tuple[str, ...]
    """ISO 8601, one for each view."""

    @property
    def energy_kinds(self) -> tuple[str | None, ...]:
        """Kind of each run's energy; None where it has none."""
        return tuple(_energy_kind(view) for view in self.views)


def _energy_kind(view: CaseView) -> str | None:
    energy = view.quantity("energy_per_item_j")
    if energy.value is None or energy.kind is None:
        return None
    return energy_kind(SIMULATED if is_simulated(view.case) else energy.kind, energy.lower_bound)


def case_series(run_files: Sequence[RunFile], cases: Sequence[CaseView]) -> tuple[CaseSeries, ...]:
    """Return a series for every case that at least MIN_RUNS runs on one machine measured in the same version."""
    started_at = {run_label(i): file.run.started_at for i, file in enumerate(run_files)}
    by_case: dict[tuple[str, str, str], list[CaseView]] = defaultdict(list)
    for view in cases:
        if view.case.summary is not None:
            by_case[view.case.id, view.machine, view.case.workload_version].append(view)
    series = []
    for views in by_case.values():
        if len({view.run for view in views}) >= MIN_RUNS:
            ordered = sorted(views, key=lambda view: started_at[view.run])
            series.append(CaseSeries(tuple(ordered), tuple(started_at[view.run] for view in ordered)))
    return tuple(series)
