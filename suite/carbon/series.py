"""Carbon intensity over time: intervals with a constant value each, as grid operators report it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

FIRST_YEAR, LAST_YEAR = 1970, 9998
HOUR = timedelta(hours=1)
LENGTHS = MappingProxyType(
    {"5_minutes": timedelta(minutes=5), "15_minutes": timedelta(minutes=15), "hourly": HOUR, "daily": timedelta(days=1)}
)
"""Granularities, as Electricity Maps calls them, and their lengths."""
Basis = Literal["lifecycle", "direct", "unknown"]


@dataclass(frozen=True)
class Point:
    """The value of one interval."""

    start: datetime
    end: datetime
    g_per_kwh: float
    is_estimated: bool | None = None
    method: str | None = None
    """How it was estimated, in the source's words."""
    updated_at: str | None = None

    def distance(self, time: datetime) -> timedelta:
        """Return how far `time` is from this interval; zero within it."""
        return max(self.start - time, time - self.end, timedelta(0))

    def contains(self, time: datetime) -> bool:
        """Return whether `time` is in this interval (its start is, its end is not)."""
        return self.start <= time < self.end


@dataclass(frozen=True)
class Piece:
    """A part of a span under one value."""

    start: datetime
    end: datetime
    point: Point
    nearest: bool
    """Whether the value is the nearest known one, since this part has none of its own."""


@dataclass(frozen=True)
class Series:
    """Points in order, without overlap; there may be gaps between them."""

    points: tuple[Point, ...]
    source: str
    zone: str | None
    basis: Basis
    granularity: str | None = None
    retrieved_at: datetime | None = None

    def at(self, time: datetime) -> Point:
        """Return the point that contains `time`, or else the nearest. ValueError where there is none."""
        if not self.points:
            raise ValueError("the series is empty")
        return min(self.points, key=lambda point: (not point.contains(time), point.distance(time)))

    def pieces(self, start: datetime, end: datetime) -> tuple[Piece, ...]:
        """Return `start`..`end` cut where the value changes; gaps take the nearest value, flagged."""
        borders = {start, end}
        for point, following in zip(self.points, (*self.points[1:], None), strict=True):
            borders |= {point.start, point.end}
            if following is not None and following.start > point.end:
                borders.add(point.end + (following.start - point.end) / 2)  # from here on the later one is nearer
        times = sorted(time for time in borders if start <= time <= end)
        pieces: list[Piece] = []
        for begin, finish in pairwise(times):
            middle = begin + (finish - begin) / 2
            point = self.at(middle)
            nearest = not point.contains(middle)
            if pieces and pieces[-1].point == point and pieces[-1].nearest == nearest:
                pieces[-1] = replace(pieces[-1], end=finish)
            else:
                pieces.append(Piece(begin, finish, point, nearest))
        return tuple(pieces)

    def covers(self, start: datetime, end: datetime) -> bool:
        """Return whether every moment of `start`..`end` has a value of its own."""
        return self._integral(end)[1] - self._integral(start)[1] == end - start

    def mean(self, start: datetime, end: datetime) -> float:
        """Return the mean over `start`..`end` by time, g/kWh. ValueError where a part has no value."""
        if not end > start or not self.covers(start, end):
            raise ValueError(f"the series does not cover {start} to {end}")
        return (self._integral(end)[0] - self._integral(start)[0]) / (end - start).total_seconds()

    def _integral(self, time: datetime) -> tuple[float, timedelta]:
        """Return the integral of the intensity over all that is known before `time`, g s/kWh, and how long that is."""
        total, known = 0.0, timedelta(0)
        for point in self.points:
            if point.start >= time:
                break
            length = min(point.end, time) - point.start
            total += point.g_per_kwh * length.total_seconds()
            known += length
        return total, known


@dataclass(frozen=True)
class Window:
    """A span of time to run in, and the grid's mean over it."""

    start: datetime
    end: datetime
    g_per_kwh: float


def in_order(points: Iterable[Point]) -> tuple[Point, ...]:
    """Return `points` by time, overlaps cut; of two with one start the later one in `points` counts."""
    by_start = {point.start: point for point in points}  # sources repeat a row to correct it
    ordered = [by_start[start] for start in sorted(by_start)]
    cut = (replace(point, end=min(point.end, following.start)) for point, following in pairwise(ordered))
    return (*cut, *ordered[-1:])


def best_window(series: Series, duration: timedelta, earliest: datetime, latest_end: datetime | None = None) -> Window:
    """Return the window of `duration` with the lowest mean that is within the series; the earliest of equal ones.

    The mean of a window over constant pieces is linear between the moments at which one of its ends meets a border,
    so the lowest is at one of these. ValueError where no window fits.
    """
    end = series.points[-1].end if series.points else earliest
    if latest_end is not None:
        end = min(end, latest_end)
    borders = {time for point in series.points for time in (point.start, point.end)}
    starts = sorted({earliest, end - duration, *borders, *(time - duration for time in borders)})
    windows = [
        Window(start, start + duration, series.mean(start, start + duration))
        for start in starts
        if start >= earliest and start + duration <= end and series.covers(start, start + duration)
    ]
    if not windows:
        raise ValueError("no window fits")
    # Equal up to rounding: a later window must really be better.
    lowest = min(window.g_per_kwh for window in windows)
    return next(window for window in windows if window.g_per_kwh <= lowest + 1e-9 * max(1.0, lowest))


def utc_now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


def start_of_hour(time: datetime) -> datetime:
    """Return the full hour at or before `time`."""
    return start_of_interval(time, HOUR)


def start_of_interval(time: datetime, length: timedelta) -> datetime:
    """Return the latest time at or before `time` that is a multiple of `length` since midnight, UTC."""
    midnight = time.replace(hour=0, minute=0, second=0, microsecond=0)
    return time - (time - midnight) % length


def parse_time(text: str) -> datetime:
    """Return an ISO 8601 time with its offset, in UTC. ValueError where it is none, or has no offset."""
    return to_utc(datetime.fromisoformat(text.strip()), text)


def to_utc(time: datetime, text: str) -> datetime:
    """Return `time`, which was written as `text`, in UTC. ValueError where it has no offset, or cannot be."""
    if time.tzinfo is None:
        raise ValueError(f"{text.strip()} has no offset from UTC")
    if not FIRST_YEAR <= time.year <= LAST_YEAR:  # times near the ends of the calendar cannot be added to
        raise ValueError(f"{text.strip()} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return time.astimezone(UTC)


def iso(time: datetime) -> str:
    """Return `time` in UTC as ISO 8601, to the second: 2026-11-01T12:00:00Z."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
