"""A series of intensities and a span of time -> records that say where the numbers come from. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from joulemark.suite.carbon.series import Piece, Series, iso
from joulemark.suite.notices import Code
from joulemark.suite.records import GridInterval, Intensity, Notice

Span = tuple[datetime, datetime]
"""Start and end of a run; the same moment twice where it has not begun."""
ASKED_NOW: Final = timedelta(seconds=30)
"""An answer that is older was kept: a request takes 10 s at most, and a few follow each other."""
STALE_AFTER_H: Final = 6.0
"""A grid's day has two peaks and two troughs: a value from further away is of another part of the day."""


@dataclass(frozen=True)
class ResolvedIntensity:
    """The intensity that one source, or the chain of sources, gave."""

    intensity: Intensity
    intervals: tuple[GridInterval, ...] = ()
    notices: tuple[Notice, ...] = ()


def from_series(series: Series, span: Span) -> ResolvedIntensity:
    """Return the intensity of `span`: that of its one interval, or the mean of several by time, which are listed too.

    A part of the span without a value takes the nearest, flagged. ValueError where the series is empty.
    """
    if span[1] > span[0]:
        pieces = series.pieces(*span)
    else:
        point = series.at(span[0])
        pieces = (Piece(span[0], span[0], point, not point.contains(span[0])),)
    values = [piece.point.g_per_kwh for piece in pieces]
    notices = _stale(pieces)
    if len({piece.point for piece in pieces}) == 1:
        single = _intensity(series, pieces[:1], values[0])
        return ResolvedIntensity(single.model_copy(update={"updated_at": pieces[0].point.updated_at}), (), notices)
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
    shares = [(piece.end - piece.start) / (span[1] - span[0]) for piece in pieces]
    mean = sum(value * share for value, share in zip(values, shares, strict=True))
    several = _intensity(series, pieces, mean).model_copy(update={"low": min(values), "high": max(values)})
    return ResolvedIntensity(several, intervals, notices)


def _intensity(series: Series, pieces: Sequence[Piece], g_per_kwh: float) -> Intensity:
    estimated = {piece.point.is_estimated for piece in pieces}
    methods = dict.fromkeys(piece.point.method for piece in pieces if piece.point.method)
    return Intensity(
        g_per_kwh=g_per_kwh,
        source=series.source,
        zone=series.zone,
        interval_start=iso(pieces[0].point.start),
        retrieved_at=iso(series.retrieved_at) if series.retrieved_at else None,
        is_estimated=True if True in estimated else None if None in estimated else False,
        basis=series.basis,
        signal="average" if series.zone else "unknown",
        granularity=series.granularity,
        method=", ".join(methods) or None,
        reason=_nearest_reason(pieces, series.retrieved_at),
    )


def _nearest_reason(pieces: Sequence[Piece], retrieved_at: datetime | None) -> str | None:
    """Return which values stand in for missing ones; None where none is missing."""
    missing = [piece for piece in pieces if piece.nearest]
    if not missing:
        return None
    starts = ", ".join(dict.fromkeys(iso(piece.point.start) for piece in missing))
    if retrieved_at is not None and missing[-1].end > retrieved_at + ASKED_NOW:
        had = f"the source had no value for {iso(missing[0].start)} at {iso(retrieved_at)} and was not asked again"
    else:
        had = f"the source has no value for {iso(missing[0].start)}"
    return f"{had}; the nearest ({starts}) is used"


def _stale(pieces: Sequence[Piece]) -> tuple[Notice, ...]:
    """Return a notice where a value stands in from far away."""
    distances = [piece.point.distance(piece.start + (piece.end - piece.start) / 2) for piece in pieces]
    hours = max(distances, default=timedelta(0)) / timedelta(hours=1)
    return (Notice.of(Code.STALE_INTENSITY, hours, STALE_AFTER_H),) if hours > STALE_AFTER_H else ()
