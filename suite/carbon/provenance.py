"""From a series of intensities and a span of time to records that say where the numbers come from. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from joulemark.suite.carbon.series import Piece, Series, iso
from joulemark.suite.notices import Code
from joulemark.suite.records import GridInterval, Intensity, Notice

Span = tuple[datetime, datetime]
"""Start and end of a run; the same moment twice where it has not begun."""

STALE_AFTER_H: Final = 6.0
"""A grid's day has two peaks and two troughs: a value from further away is of another part of the day."""


@dataclass(frozen=True)
class Found:
    """What one source, or the chain of them, came to."""

    intensity: Intensity
    intervals: tuple[GridInterval, ...] = ()
    notices: tuple[Notice, ...] = ()


def from_series(series: Series, span: Span) -> Found:
    """The intensity of `span`: of its one interval, or the mean of several by time, which are then listed too.

    A part of the span without a value takes the nearest, flagged. ValueError where the series is empty.
    """
    pieces = series.pieces(*span) if span[1] > span[0] else _moment(series, span[0])
    notices = _stale(pieces)
    if len({piece.point for piece in pieces}) == 1:
        return Found(_of_one(series, pieces[0]), (), notices)
    intervals = tuple(
        GridInterval(
            start=iso(piece.start),
            end=iso(piece.end),
            g_per_kwh=piece.point.g_per_kwh,
            is_estimated=piece.point.is_estimated,
            nearest=piece.nearest,
        )
        for piece in pieces
    )
    lengths = [(piece.end - piece.start) / (span[1] - span[0]) for piece in pieces]
    mean = sum(piece.point.g_per_kwh * length for piece, length in zip(pieces, lengths, strict=True))
    return Found(_of_several(series, pieces, mean), intervals, notices)


def _moment(series: Series, time: datetime) -> tuple[Piece, ...]:
    point = series.at(time)
    return (Piece(time, time, point, not point.holds(time)),)


def _of_one(series: Series, piece: Piece) -> Intensity:
    point = piece.point
    return Intensity(
        g_per_kwh=point.g_per_kwh,
        source=series.source,
        zone=series.zone,
        interval_start=iso(point.start),
        retrieved_at=iso(series.retrieved_at) if series.retrieved_at else None,
        is_estimated=point.is_estimated,
        basis=series.basis,
        signal="average" if series.zone else "unknown",
        granularity=series.granularity,
        method=point.method,
        updated_at=point.updated_at,
        reason=_nearest([piece]),
    )


def _of_several(series: Series, pieces: tuple[Piece, ...], mean: float) -> Intensity:
    values = [piece.point.g_per_kwh for piece in pieces]
    estimated = {piece.point.is_estimated for piece in pieces}
    methods = dict.fromkeys(piece.point.method for piece in pieces if piece.point.method)
    return Intensity(
        g_per_kwh=mean,
        source=series.source,
        zone=series.zone,
        interval_start=iso(pieces[0].point.start),
        retrieved_at=iso(series.retrieved_at) if series.retrieved_at else None,
        is_estimated=True if True in estimated else None if None in estimated else False,
        basis=series.basis,
        signal="average" if series.zone else "unknown",
        granularity=series.granularity,
        method=", ".join(methods) or None,
        low=min(values),
        high=max(values),
        reason=_nearest([piece for piece in pieces if piece.nearest]),
    )


def _nearest(pieces: list[Piece]) -> str | None:
    """What to say of pieces that have no value of their own; None where all have."""
    missing = [piece for piece in pieces if piece.nearest]
    if not missing:
        return None
    of = ", ".join(dict.fromkeys(iso(piece.point.start) for piece in missing))
    return f"the source has no value for {iso(missing[0].start)}; the nearest ({of}) is used"


def _stale(pieces: tuple[Piece, ...]) -> tuple[Notice, ...]:
    """A notice where a value stands in from far away."""
    away = max((piece.point.distance(piece.start + (piece.end - piece.start) / 2) for piece in pieces), default=None)
    hours = (away or timedelta(0)) / timedelta(hours=1)
    return (Notice.of(Code.STALE_INTENSITY, hours, STALE_AFTER_H),) if hours > STALE_AFTER_H else ()
