"""Which carbon intensity and PUE a run's grams are computed with: the chain of sources, recorded.

The user's value, the user's file, Electricity Maps, the country's year by Ember, the world's average; a source that was
asked and could not answer leaves its reason. Nothing is derived from the caller's IP address. Nothing here is called
while a trial runs, and no failed look-up fails a run.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Final

from joulemark.suite.carbon import ember, inputs, intensity_csv
from joulemark.suite.carbon.accounting import check_intensity, check_psf
from joulemark.suite.carbon.location import Location, location_of
from joulemark.suite.carbon.provenance import ResolvedIntensity, Span, from_series
from joulemark.suite.carbon.service_response import ServiceError
from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import Emissions, Intensity, Notice, Settings
from joulemark.suite.system.directories import expanded

if TYPE_CHECKING:
    from joulemark.suite.carbon.service import Service

OLD_AFTER_YEARS: Final = 3
"""Yearly tables lag by one year or two; a value older than this describes another grid."""
NO_DIRECT_FACTORS: Final = "direct factors were asked for; Ember's are life-cycle ones"
NOT_ASKED_REMEDY: Final = (
    "For the values of Electricity Maps, set ELECTRICITYMAPS_API_TOKEN and leave out --offline; or give --intensity."
)
"""For what only the service has, where trying again would not help."""


def resolve(
    settings: Settings, now: datetime, service: Service | None = None, span: Span | None = None
) -> tuple[Emissions, tuple[Notice, ...]]:
    """Return what to compute emissions with, and notices about it.

    `service` is asked for the grid by the hour, if given; `span` is the time of a run that is over, if not now.
    UsageError where a value cannot be, the zone is not known and the service was not asked for it, or the user's file
    cannot be read; never for a network.
    """
    resolved = _intensity(settings, now, service, span)
    emissions = Emissions(
        intensity=resolved.intensity,
        intervals=resolved.intervals,
        pue=inputs.parse_pue(settings.pue),
        psf=check_psf(settings.psf),
        embodied=inputs.parse_embodied(settings.embodied, settings.lifespan_years),
    )
    return emissions, resolved.notices


def _intensity(settings: Settings, now: datetime, service: Service | None, span: Span | None) -> ResolvedIntensity:
    location = location_of(settings)
    if settings.intensity is not None:
        if location is not None and location.zone is not None:
            ember.check_zone(location.zone)  # a mistyped zone is a mistake, whether it is needed or not
        return _given_by_user(settings.intensity, settings, span or (now, now))
    if location is None:
        return _world_average(NO_DIRECT_FACTORS if settings.emission_factors == "direct" else None)
    if service is None or service.maps is None:
        return _yearly(location, settings, now, service.unused_reason if service is not None else None)
    try:
        resolved = from_series(service.series(location, now, span), span or (now, now))
    except ServiceError as error:
        resolved = _yearly(location, settings, now, str(error), asked=True)
    return ResolvedIntensity(resolved.intensity, resolved.intervals, (*service.notices, *resolved.notices))


def _given_by_user(given: float | str, settings: Settings, span: Span) -> ResolvedIntensity:
    """Return the user's value, or that of the user's file."""
    amount = inputs.parse_amount(given, "--intensity")
    if amount is None:
        path = expanded(str(given))
        if not os.path.exists(path):  # a name may be too long for a path
            raise UsageError(f"--intensity got {given!r}, which is neither a number of g/kWh nor a file that exists.")
        return from_series(intensity_csv.read(path, settings.emission_factors), span)
    amount.check(check_intensity)
    return ResolvedIntensity(
        Intensity(
            g_per_kwh=amount.value,
            low=amount.low,
            high=amount.high,
            source="given by the user",
            zone=None,
            basis="direct" if settings.emission_factors == "direct" else "unknown",
        )
    )


def _yearly(
    location: Location, settings: Settings, now: datetime, reason: str | None, asked: bool = False
) -> ResolvedIntensity:
    """Return the country's year. `reason`: why Electricity Maps could not answer, or was not `asked`."""
    reason = reason or "Electricity Maps was not asked"
    if location.zone is None:
        return _world_average(f"only Electricity Maps can resolve {location.label}: {reason}", asked)
    fallbacks = [f"Electricity Maps: {reason}"] if asked else []
    fallbacks += [NO_DIRECT_FACTORS] if settings.emission_factors == "direct" else []
    if (absent := ember.no_value(location.zone)) is not None:
        return _world_average("; ".join([*fallbacks, absent if asked else f"{absent}, and {reason}"]), asked)
    try:
        table = ember.intensity(location.zone)
    except UsageError:
        if not asked:
            raise
        return _world_average("; ".join([*fallbacks, f"the yearly table does not know {location.zone}"]), asked)
    reasons = [*fallbacks, *([table.reason] if table.reason else [])]
    intensity = table.model_copy(update={"fallback": bool(reasons), "reason": "; ".join(reasons) or None})
    notices = [_fallback("; ".join(fallbacks), asked)] if fallbacks else []
    if table.vintage is not None and now.year - table.vintage > OLD_AFTER_YEARS:
        notices.append(Notice.of(Code.OLD_INTENSITY, f"{table.zone} ({table.vintage})", OLD_AFTER_YEARS))
    return ResolvedIntensity(intensity, (), tuple(notices))


def _world_average(reason: str | None, asked: bool = False) -> ResolvedIntensity:
    world = ember.WORLD.model_copy(update={"fallback": reason is not None, "reason": reason})
    notices = [_fallback(reason, asked)] if reason else []
    return ResolvedIntensity(world, (), (*notices, Notice.of(Code.WORLD_INTENSITY, world.g_per_kwh)))


def _fallback(reason: str, asked: bool) -> Notice:
    """Return the notice of a source that was not used, with what helps: another time only if it was `asked`."""
    notice = Notice.of(Code.INTENSITY_FALLBACK, reason)
    return notice if asked else notice.model_copy(update={"remedy": NOT_ASKED_REMEDY})
