"""The grid over windows that are marked one by one, perhaps for days: asked once an hour, weighed by energy.

A user's file is read once, and cut for each window: its values may be finer than an hour.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from joulemark.suite.carbon import inputs, intensity_csv
from joulemark.suite.carbon.provenance import from_series
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.series import Series
from joulemark.suite.carbon.service import from_environment
from joulemark.suite.records import Emissions, Notice, Settings
from joulemark.suite.settings import home

Found = tuple[Emissions, tuple[Notice, ...]]
Span = tuple[datetime, datetime]
HOUR = timedelta(hours=1)


class Grid:
    """What grams are computed with, by settings and time."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, datetime], Found] = {}
        self._files: dict[str, tuple[int, Emissions, Series]] = {}
        """By settings: when the file was changed, and what was made of it."""

    def over(self, settings: Settings, span: Span) -> Found:
        """As `suite.carbon.resolve` has it for `span`. UsageError where the settings cannot be met."""
        path = _file(settings)
        if path is not None:
            return self._of_file(settings, path, span)
        hour = span[0].replace(minute=0, second=0, microsecond=0)
        key = settings.model_dump_json(), hour
        if key in self._kept and span[1] < hour + HOUR:
            return self._kept[key]
        found = _resolved(settings, span)
        if span[1] < hour + HOUR and _holds_for_an_hour(found[0]):
            self._kept[key] = found
        return found

    def _of_file(self, settings: Settings, path: Path, span: Span) -> Found:
        """Read again where it has changed: rows may be added while windows are marked."""
        key, changed = settings.model_dump_json(), path.stat().st_mtime_ns if path.exists() else 0
        if key not in self._files or self._files[key][0] != changed:
            emissions, _ = _resolved(settings, span)
            self._files[key] = changed, emissions, intensity_csv.read(path, settings.emission_factors)
        _, emissions, series = self._files[key]
        found = from_series(_around(series, span), span)
        return emissions.model_copy(update={"intensity": found.intensity, "intervals": found.intervals}), found.notices


def _resolved(settings: Settings, span: Span) -> Found:
    service = from_environment(settings.offline, settings.emission_factors, home() / "cache")
    return resolve(settings, datetime.now(UTC), service, span)


def _file(settings: Settings) -> Path | None:
    """The user's file of intensities; None where there is none."""
    given = settings.intensity
    if given is None or inputs.amount(given, "--intensity") is not None:
        return None
    return Path(str(given)).expanduser()


def _holds_for_an_hour(emissions: Emissions) -> bool:
    """Whether one value was found that is no finer than that: an hour's, a year's, or one that was given."""
    return not emissions.intervals and emissions.intensity.granularity in (None, "hourly")


def _around(series: Series, span: Span) -> Series:
    """What of `series` says something of `span`, the nearest values too: a year of it takes long to cut."""
    first = bisect_right(series.points, span[0], key=lambda point: point.start) - 1
    last = bisect_left(series.points, span[1], key=lambda point: point.start)
    return replace(series, points=series.points[max(0, first) : last + 1])


def weighed(emissions: Emissions, span: Span, energy_j: Callable[[Span], float]) -> Emissions:
    """`emissions` with the mean of its intervals by the energy that `span` has in each; as given without intervals."""
    starts = [(datetime.fromisoformat(part.start), part.g_per_kwh) for part in emissions.intervals]
    borders = [span[0], *(start for start, _ in starts if span[0] < start < span[1]), span[1]]
    parts = [(energy_j((begin, end)), _at(starts, begin)) for begin, end in pairwise(borders)] if starts else []
    total_j = sum(joules for joules, _ in parts)
    if total_j <= 0:
        return emissions
    mean = sum(joules * g_per_kwh for joules, g_per_kwh in parts) / total_j
    return emissions.model_copy(update={"intensity": emissions.intensity.model_copy(update={"g_per_kwh": mean})})


def _at(starts: list[tuple[datetime, float]], time: datetime) -> float:
    """The value of the last interval that has begun by `time`; of the first before it."""
    return next((value for start, value in reversed(starts) if start <= time), starts[0][1])
