"""Which carbon intensity and PUE a run's grams are computed with, and why: the chain of sources, recorded.

The user's value, the user's file, Electricity Maps, the country's year by Ember, the world's average; a source that
was asked and could not answer leaves its reason. Nothing is derived from the caller's IP address. Nothing here is
called while a trial runs, and no failed look-up fails a run.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from joulemark.suite.carbon import ember, inputs, intensity_csv
from joulemark.suite.carbon.accounting import check_intensity, check_psf
from joulemark.suite.carbon.location import Place, place
from joulemark.suite.carbon.provenance import Found, Span, from_series
from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import Emissions, Intensity, Notice, Settings

if TYPE_CHECKING:
    from joulemark.suite.carbon.service import Service

OLD_AFTER_YEARS: Final = 3
"""Yearly tables lag by one year or two; a value older than this describes another grid."""

UNLIKE: Final = "direct factors were asked for; Ember's are life-cycle ones"


def resolve(
    settings: Settings, now: datetime, service: Service | None = None, span: Span | None = None
) -> tuple[Emissions, tuple[Notice, ...]]:
    """What to compute emissions with. `span`: the time of a run that is over; None: this moment.

    `service` is asked for the grid by the hour (None: nobody is). UsageError where a value cannot be, the zone is not
    known, or the user's file cannot be read; never because of a network.
    """
    found = _intensity(settings, now, service, span)
    emissions = Emissions(
        intensity=found.intensity,
        intervals=found.intervals,
        pue=inputs.pue(settings.pue),
        psf=check_psf(settings.psf),
        embodied=inputs.embodied(settings.embodied, settings.lifespan_years),
    )
    return emissions, found.notices


def _intensity(settings: Settings, now: datetime, service: Service | None, span: Span | None) -> Found:
    where = place(settings)
    if settings.intensity is not None:
        if where is not None and where.zone is not None:
            ember.intensity(where.zone)  # a mistyped zone is a mistake, whether it is needed or not
        return _own(settings, span or (now, now))
    if where is None:
        return _world(UNLIKE if settings.emission_factors == "direct" else None)
    if service is None or service.maps is None:
        unasked = service.absent if service is not None else None
        return _yearly(where, settings, now, unasked or "it was not asked", asked=False)
    try:
        found = from_series(service.series(where, now, span), span or (now, now))
    except _failure_type() as failure:
        found = _yearly(where, settings, now, str(failure), asked=True)
    return Found(found.intensity, found.intervals, (*service.notices, *found.notices))


def _failure_type() -> type[Exception]:
    from joulemark.suite.carbon.transport import Failure  # imports requests, which only those who ask a network need

    return Failure


def _own(settings: Settings, span: Span) -> Found:
    """The user's value, or file."""
    assert settings.intensity is not None
    given = inputs.amount(settings.intensity, "--intensity")
    if given is None:
        path = Path(str(settings.intensity))
        if not path.expanduser().exists():
            raise UsageError(
                f"--intensity got {settings.intensity!r}, which is neither a number of g/kWh nor a file that exists."
            )
        return from_series(intensity_csv.read(path, settings.emission_factors), span)
    for value in (given.low, given.value, given.high):
        if value is not None:
            check_intensity(value)
    return Found(
        Intensity(
            g_per_kwh=given.value,
            low=given.low,
            high=given.high,
            source="given by the user",
            zone=None,
            basis="direct" if settings.emission_factors == "direct" else "unknown",
        )
    )


def _yearly(where: Place, settings: Settings, now: datetime, reason: str, asked: bool) -> Found:
    """The country's year. `reason`: why Electricity Maps could not answer, or was not `asked`."""
    if where.zone is None:
        return _world(f"only Electricity Maps can resolve {where.label}: {reason}")
    table = ember.intensity(where.zone)
    failed = f"Electricity Maps: {reason}" if asked else None
    unlike = UNLIKE if settings.emission_factors == "direct" else None
    instead = [reason for reason in (failed, unlike) if reason]
    reasons = [reason for reason in (*instead, table.reason) if reason]
    intensity = table.model_copy(update={"fallback": bool(reasons), "reason": "; ".join(reasons) or None})
    notices = (Notice.of(Code.INTENSITY_FALLBACK, "; ".join(instead)),) if instead else ()
    return Found(intensity, (), (*notices, *_age(table, now)))


def _world(reason: str | None) -> Found:
    world = ember.WORLD.model_copy(update={"fallback": reason is not None, "reason": reason})
    notices = [Notice.of(Code.INTENSITY_FALLBACK, reason)] if reason else []
    return Found(world, (), (*notices, Notice.of(Code.WORLD_INTENSITY, world.g_per_kwh)))


def _age(table: Intensity, now: datetime) -> tuple[Notice, ...]:
    """A notice where the value is of a year long past."""
    if table.vintage is None or now.year - table.vintage <= OLD_AFTER_YEARS:
        return ()
    return (Notice.of(Code.OLD_INTENSITY, f"{table.zone} ({table.vintage})", OLD_AFTER_YEARS),)
