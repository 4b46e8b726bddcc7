"""Carbon intensity by the hour from Electricity Maps (https://app.electricitymaps.com/docs).

The service answers 200 with wrong values to a sandbox token, with the zone of the caller's own IP address to a place
that it cannot resolve, and with null where it has no data; none of these may become a number. Signal: average,
location-based, with imports (flow-traced). Values are the service's property: they are kept for the hour, no longer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from joulemark import __version__
from joulemark.suite.carbon.cache import Cache
from joulemark.suite.carbon.electricity_maps_response import TOKEN_VARIABLE, checked, parsed, reduced
from joulemark.suite.carbon.location import Place
from joulemark.suite.carbon.series import Basis, Series, iso
from joulemark.suite.carbon.transport import Failure, Transport

BASE_URL: Final = "https://api.electricitymaps.com/v4"
USER_AGENT: Final = f"joulemark/{__version__}"

OLD_TOKEN_VARIABLE: Final = "CO2_SIGNAL_API_TOKEN"
"""CO2 Signal is now a part of Electricity Maps, and its tokens are theirs."""
URL_VARIABLE: Final = "JOULEMARK_ELECTRICITYMAPS_URL"

REFUSED_AFTER: Final = timedelta(hours=24)
"""The service calls 24 h its history: an older value is no longer `latest`."""
SKEW_ALLOWED: Final = timedelta(minutes=10)

FORECAST_HOURS: Final = (6, 24, 48, 72)
"""Horizons that can be asked for."""


@dataclass(frozen=True, repr=False)
class Access:
    """A token as it was found; its text form does not show it."""

    token: str
    variable: str

    @property
    def outdated(self) -> bool:
        """Whether it was found under the name of the service that is gone."""
        return self.variable == OLD_TOKEN_VARIABLE


def access(environment: Mapping[str, str] = os.environ) -> Access | None:
    """The token of the environment; None where there is none."""
    for variable in (TOKEN_VARIABLE, OLD_TOKEN_VARIABLE):
        if token := environment.get(variable, "").strip():
            return Access(token, variable)
    return None


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


class ElectricityMaps:
    """The client. Each method answers with a `Series` or raises `Failure`; each answer is kept until the next hour."""

    def __init__(
        self,
        transport: Transport,
        cache: Cache | None = None,
        clock: Callable[[], datetime] = utc_now,
        factors: Basis = "lifecycle",
    ) -> None:
        """`factors`: whether values cover the whole life of power plants or only what they emit in operation."""
        self._transport, self._cache, self._clock, self._factors = transport, cache, clock, factors

    def latest(self, place: Place) -> Series:
        """The newest interval. Failure where it is older than a day, or lies in the future."""
        found = self._ask("latest", place)
        now, point = self._clock(), found.points[-1]
        if point.start > now + SKEW_ALLOWED:
            raise Failure("stale", f"its newest value is of {iso(point.start)}, in the future: check this clock")
        if now - point.end > REFUSED_AFTER:
            raise Failure("stale", f"its newest value is of {iso(point.start)}, more than a day back")
        return found

    def history(self, place: Place) -> Series:
        """The last 24 hours."""
        return self._ask("history", place)

    def past_range(self, place: Place, start: datetime, end: datetime) -> Series:
        """From `start` to `end`, at most ten days. Failure where it is longer."""
        if end - start > timedelta(days=10):
            raise Failure("request", f"it gives ten days at most, and {(end - start).days} were asked for")
        return self._ask("past-range", place, start=iso(start), end=iso(end))

    def forecast(self, place: Place, hours: int = FORECAST_HOURS[-1]) -> Series:
        """The next `hours`: 6, 24, 48 or 72."""
        return self._ask("forecast", place, horizonHours=str(hours))

    def _ask(self, temporality: str, place: Place, **more: str) -> Series:
        """One question, from the cache where it was asked before in this hour."""
        parameters = {
            **place.parameters,
            **more,
            "emissionFactorType": self._factors,
            # Without it, a place that cannot be resolved silently becomes the caller's own.
            "disableCallerLookup": "true",
        }
        key = f"{self._transport.host} {temporality} {sorted(parameters.items())}"
        now = self._clock()
        kept = self._cache.get(key, now) if self._cache is not None else None
        if kept is not None:
            return parsed(kept, self._factors)
        answer = self._transport.get(f"carbon-intensity/{temporality}", parameters, USER_AGENT)
        document = reduced(checked(answer), iso(now))
        found = parsed(document, self._factors)
        if place.zone is not None and found.zone != place.zone:
            raise Failure("wrong_zone", f"it was asked for {place.zone} and answered for {found.zone}")
        if self._cache is not None:
            next_hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
            self._cache.put(key, document, now, next_hour)
        return found
