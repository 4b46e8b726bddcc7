"""After a run: the grid of the hours that it took, which nobody knew when it began, or another grid altogether."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from joulemark.suite.carbon.provenance import Span
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.energy.totals import weight_by_energy
from joulemark.suite.errors import UsageError
from joulemark.suite.records import RunFile
from joulemark.suite.results.summary import recompute
from joulemark.suite.results.validity import CARBON_CODES
from joulemark.suite.settings import PLACES, validated

if TYPE_CHECKING:
    from joulemark.suite.carbon.service import Service

GRID: Final = frozenset({*PLACES, "intensity", "emission_factors"})
"""Options that put another intensity in the place of the run's."""


def settle(run_file: RunFile, now: datetime, service: Service | None = None) -> RunFile:
    """The finished run with the intensities of its own hours, where its source has hours; otherwise as it is.

    Nothing raises: what can no longer be asked leaves the run with what was known at its start.
    """
    if run_file.emissions.intensity.interval_start is None:
        return run_file
    try:
        emissions, notices = resolve(run_file.settings, now, service, span_of(run_file))
    except UsageError:
        return run_file
    if emissions.intensity.interval_start is None:
        return run_file  # an hour of the beginning is better than the year that a failed look-up falls back to
    return recompute(run_file, weight_by_energy(run_file, emissions), notices)


def recomputed(run_file: RunFile, given: Mapping[str, Any], now: datetime, service: Service | None = None) -> RunFile:
    """The run under the carbon options in `given`; what is not given (None) stays as it was measured with.

    The grid is that of the run's own time. UsageError as `resolve` has it.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    if not chosen:
        return run_file
    grid = not chosen.keys().isdisjoint(GRID)
    where = (*PLACES, "intensity")
    if grid and "emission_factors" not in chosen:
        chosen["emission_factors"] = run_file.settings.emission_factors
    if grid and chosen.keys().isdisjoint(where):
        chosen |= {name: value for name in where if (value := getattr(run_file.settings, name)) is not None}
    if "lifespan_years" in chosen and "embodied" not in chosen and run_file.settings.embodied is not None:
        chosen["embodied"] = run_file.settings.embodied
    emissions, notices = resolve(validated(chosen), now, service, span_of(run_file))
    emissions = weight_by_energy(run_file, emissions)
    update: dict[str, Any] = {name: getattr(emissions, name) for name in ("pue", "psf", "embodied") if name in chosen}
    if grid:
        update |= {"intensity": emissions.intensity, "intervals": emissions.intervals}
    else:
        notices = tuple(notice for notice in run_file.notices if notice.code in CARBON_CODES)
    return recompute(run_file, run_file.emissions.model_copy(update=update), notices)


def span_of(run_file: RunFile) -> Span:
    """When the run took place, as far as it came."""
    start = datetime.fromisoformat(run_file.run.started_at)
    if run_file.run.finished_at is not None:
        return start, datetime.fromisoformat(run_file.run.finished_at)
    ends = [trial.window_s[1] for case in run_file.cases for trial in case.trials if trial.window_s is not None]
    return start, start + timedelta(seconds=max(ends, default=0.0))
