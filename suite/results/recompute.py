"""Recompute a finished run's emissions: with the intensity of its own hours, or with other carbon options."""

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

SOURCE_OPTIONS: Final = (*PLACES, "intensity")
GRID_OPTIONS: Final = frozenset({*SOURCE_OPTIONS, "emission_factors"})
"""Options that replace the run's intensity."""


def recompute_with_actual_intensity(run_file: RunFile, now: datetime, service: Service | None = None) -> RunFile:
    """Return the run with the intensities of its own hours; unchanged if its source has none, or cannot be asked."""
    if run_file.emissions.intensity.interval_start is None:
        return run_file
    try:
        emissions, notices = resolve(run_file.settings, now, service, span_of(run_file))
    except UsageError:
        return run_file
    if emissions.intensity.interval_start is None:
        return run_file  # the hour of the start is better than the year that a failed look-up falls back to
    return recompute(run_file, weight_by_energy(run_file, emissions), notices)


def recompute_with_options(
    run_file: RunFile, given: Mapping[str, Any], now: datetime, service: Service | None = None
) -> RunFile:
    """Return the run under the carbon options in `given`, with the intensity of its own time; None keeps an option.
    Raises UsageError as `resolve` does."""
    chosen = {name: value for name, value in given.items() if value is not None}
    if not chosen:
        return run_file
    changes_grid = not chosen.keys().isdisjoint(GRID_OPTIONS)
    if changes_grid:
        chosen.setdefault("emission_factors", run_file.settings.emission_factors)
        if chosen.keys().isdisjoint(SOURCE_OPTIONS):
            own = {name: getattr(run_file.settings, name) for name in SOURCE_OPTIONS}
            chosen |= {name: value for name, value in own.items() if value is not None}
    if "lifespan_years" in chosen and "embodied" not in chosen and run_file.settings.embodied is not None:
        chosen["embodied"] = run_file.settings.embodied
    emissions, notices = resolve(validated(chosen), now, service, span_of(run_file))
    emissions = weight_by_energy(run_file, emissions)
    update: dict[str, Any] = {name: getattr(emissions, name) for name in ("pue", "psf", "embodied") if name in chosen}
    if changes_grid:
        update |= {"intensity": emissions.intensity, "intervals": emissions.intervals}
    else:
        notices = tuple(notice for notice in run_file.notices if notice.code in CARBON_CODES)
    return recompute(run_file, run_file.emissions.model_copy(update=update), notices)


def span_of(run_file: RunFile) -> Span:
    """Return when the run took place; of an unfinished one, until its last window."""
    start = datetime.fromisoformat(run_file.run.started_at)
    if run_file.run.finished_at is not None:
        return start, datetime.fromisoformat(run_file.run.finished_at)
    ends = [trial.window_s[1] for case in run_file.cases for trial in case.trials if trial.window_s is not None]
    return start, start + timedelta(seconds=max(ends, default=0.0))
