"""Carbon intensity over time: intervals with a constant value each, as grid operators report it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal

Basis = Literal["lifecycle", "direct", "unknown"]


@dataclass(frozen=True)
class Point:
    """One interval."""

    start: datetime
    end: datetime
    g_per_kwh: float
    is_estimated: bool | None = None
    method: str | None = None
    """How it was estimated, in the source's words."""
    updated_at: str | None = None

    def distance(self, time: datetime) -> timedelta:
        """How far `time` lies from this interval; zero within it."""
        if time < self.start:
            return self.start - time
        return max(time - self.end, timedelta(0))

    def holds(self, time: datetime) -> bool:
        """Whether `time` lies in this interval (its start does, its end does not)."""
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
    """Intervals in order, without overlap; there may be holes between them."""

    points: tuple[Point, ...]
    source: str
    zone: str | None
    basis: Basis
    granularity: str | None = None
    retrieved_at: datetime | None = None

    def at(self, time: datetime) -> Point:
        """The interval that holds `time`, or else the nearest. ValueError where there is none at all."""
        if not self.points:
            raise ValueError("the series is empty")
        return min(self.points, key=lambda point: (not point.holds(time), point.distance(time)))

    def pieces(self, start: datetime, end: datetime) -> tuple[Piece, ...]:
        """`start`..`end` cut where the value changes; holes take the nearest value, flagged."""
        borders = {start, end}
        for point, after in zip(self.points, (*self.points[1:], None), strict=True):
            borders |= {point.start, point.end}
            if after is not None and after.start > point.end:
                borders.add(point.end + (after.start - point.end) / 2)  # from here on the later one is nearer
        times = sorted(time for time in borders if start <= time <= end)
        found: list[Piece] = []
        for one, other in pairwise(times):
            middle = one + (other - one) / 2
            point = self.at(middle)
            nearest = not point.holds(middle)
            if found and found[-1].point == point and found[-1].nearest == nearest:
                found[-1] = replace(found[-1], end=other)
            else:
                found.append(Piece(one, other, point, nearest))
        return tuple(found)

    def covers(self, start: datetime, end: datetime) -> bool:
        """Whether every moment of `start`..`end` has a value of its own."""
        return self._until(end)[1] - self._until(start)[1] == end - start

    def mean(self, start: datetime, end: datetime) -> float:
        """Mean over `start`..`end` by time, g/kWh, under a constant load. ValueError where a part has no value."""
        if not end > start or not self.covers(start, end):
            raise ValueError(f"the series does not cover {start} to {end}")
        return (self._until(end)[0] - self._until(start)[0]) / (end - start).total_seconds()

    def _until(self, time: datetime) -> tuple[float, timedelta]:
        """The integral of the intensity over all that is known before `time`, g s/kWh, and how long that is."""
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
    """`points` by time; of two with one start the later one counts, and overlaps are cut.

    Sources repeat a row where they correct it.
    """
    by_start = {point.start: point for point in points}
    ordered = [by_start[start] for start in sorted(by_start)]
    cut = (replace(point, end=min(point.end, after.start)) for point, after in pairwise(ordered))
    return (*cut, *ordered[-1:])


def best_window(found: Series, duration: timedelta, earliest: datetime, latest_end: datetime | None = None) -> Window:
    """The window of `duration` with the lowest mean that lies whole within the series; the earliest among equals.

    The mean of a window over constant pieces is linear between the moments at which one of its ends meets a border,
    so that the lowest is at one of these. ValueError where no window fits.
    """
    end = found.points[-1].end if found.points else earliest
    if latest_end is not None:
        end = min(end, latest_end)
    borders = {time for point in found.points for time in (point.start, point.end)}
    starts = sorted({earliest, end - duration, *borders, *(time - duration for time in borders)})
    windows = [
        Window(start, start + duration, found.mean(start, start + duration))
        for start in starts
        if start >= earliest and start + duration <= end and found.covers(start, start + duration)
    ]
    if not windows:
        raise ValueError("no window fits")
    # Equal up to rounding: a later window must be truly better.
    lowest = min(window.g_per_kwh for window in windows)
    return next(window for window in windows if window.g_per_kwh <= lowest + 1e-9 * max(1.0, lowest))


def parse_time(text: str) -> datetime:
    """An ISO 8601 time with its offset, in UTC. ValueError where it is none, or has no offset."""
    time = datetime.fromisoformat(text.strip())
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return time.astimezone(UTC)


def iso(time: datetime) -> str:
    """`time` in UTC as ISO 8601, to the second: 2026-11-01T12:00:00Z."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
