"""The grid's carbon intensity for windows that are measured one by one, perhaps for days.

The service is asked once an hour. A user's file, whose values may be finer than an hour, is read once and cut for each
window.
"""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from joulemark.suite.carbon import inputs, intensity_csv
from joulemark.suite.carbon.provenance import Span, from_series
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.series import Series
from joulemark.suite.carbon.service import from_environment
from joulemark.suite.energy.totals import with_mean_intensity
from joulemark.suite.records import Emissions, Notice, Settings
from joulemark.suite.system.directories import expanded, find_cache

GridInputs = tuple[Emissions, tuple[Notice, ...]]
HOUR = timedelta(hours=1)


class GridCache:
    """What emissions are computed with, by settings and time."""

    def __init__(self) -> None:
        self._hours: dict[tuple[str, datetime], GridInputs] = {}
        self._files: dict[str, tuple[int, Emissions, Series]] = {}
        """By settings: the file's time of modification, and what was made of its content."""

    def inputs(self, settings: Settings, span: Span) -> GridInputs:
        """Return what `suite.carbon.resolve` finds for `span`. UsageError where the settings cannot be met."""
        path = _intensity_file(settings)
        if path is not None:
            return self._from_file(settings, path, span)
        hour = span[0].replace(minute=0, second=0, microsecond=0)
        key = settings.model_dump_json(), hour
        within_hour = span[1] < hour + HOUR
        if within_hour and key in self._hours:
            return self._hours[key]
        grid = _resolve(settings, span)
        if within_hour and _holds_for_an_hour(grid[0]):
            self._hours[key] = grid
        return grid

    def _from_file(self, settings: Settings, path: Path, span: Span) -> GridInputs:
        """Read the file again if it has changed: rows may be added while windows are measured."""
        key, modified = settings.model_dump_json(), path.stat().st_mtime_ns if os.path.exists(path) else 0
        if key not in self._files or self._files[key][0] != modified:
            emissions, _ = _resolve(settings, span)
            self._files[key] = modified, emissions, intensity_csv.read(path, settings.emission_factors)
        _, emissions, series = self._files[key]
        current = from_series(_around(series, span), span)
        update = {"intensity": current.intensity, "intervals": current.intervals}
        return emissions.model_copy(update=update), current.notices


def _resolve(settings: Settings, span: Span) -> GridInputs:
    service = from_environment(settings.offline, settings.emission_factors, find_cache("cache"))
    return resolve(settings, datetime.now(UTC), service, span)


def _intensity_file(settings: Settings) -> Path | None:
    """Return the user's file of intensities; None where `intensity` is a number or not set."""
    if settings.intensity is None or inputs.parse_amount(settings.intensity, "--intensity") is not None:
        return None
    return expanded(str(settings.intensity))


def _holds_for_an_hour(emissions: Emissions) -> bool:
    """Return whether there is one value, not finer than an hour: an hour's, a year's, or a number that was given."""
    return not emissions.intervals and emissions.intensity.granularity in (None, "hourly")


def _around(series: Series, span: Span) -> Series:
    """Return the points of `series` in and next to `span`: cutting a year of points for each window takes long."""
    first = bisect_right(series.points, span[0], key=lambda point: point.start) - 1
    last = bisect_left(series.points, span[1], key=lambda point: point.start)
    return replace(series, points=series.points[max(0, first) : last + 1])


def weighted_by_energy(emissions: Emissions, span: Span, energy_j: Callable[[Span], float]) -> Emissions:
    """Return `emissions` with the mean of its intervals weighted by the energy in each; unchanged without intervals.

    Args:
        emissions: What `GridCache.inputs` returned for `span`.
        span: Begin and end of the window.
        energy_j: Returns the energy of a part of `span`, joules.
    """
    if not emissions.intervals:
        return emissions
    starts = [(datetime.fromisoformat(interval.start), interval.g_per_kwh) for interval in emissions.intervals]
    borders = [span[0], *(start for start, _ in starts if span[0] < start < span[1]), span[1]]
    parts = [(energy_j((begin, end)), _value_at(starts, begin)) for begin, end in pairwise(borders)]
    return with_mean_intensity(emissions, parts)


def _value_at(starts: list[tuple[datetime, float]], time: datetime) -> float:
    """Return the value of the last interval that has begun by `time`; before the first, that of the first."""
    return next((value for start, value in reversed(starts) if start <= time), starts[0][1])
