"""Carbon intensity by the hour from Electricity Maps (https://app.electricitymaps.com/docs).

The service answers 200 with wrong values to a sandbox token, with the zone of the caller's own IP address to a place
that it cannot resolve, and with null where it has no data; none of these may become a number. Signal: average,
location-based, with imports (flow-traced). Values are the service's property: they are kept for the hour, no longer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from joulemark.suite.carbon.electricity_maps_response import TOKEN_VARIABLE, parse_series
from joulemark.suite.carbon.location import Location
from joulemark.suite.carbon.series import Basis, Series, iso, utc_now
from joulemark.suite.carbon.service_response import JsonResponse, ServiceError

if TYPE_CHECKING:
    from joulemark.suite.carbon.transport import Transport

BASE_URL: Final = "https://api.electricitymaps.com/v4"
URL_VARIABLE: Final = "JOULEMARK_ELECTRICITYMAPS_URL"
OLD_TOKEN_VARIABLE: Final = "CO2_SIGNAL_API_TOKEN"
"""CO2 Signal is now a part of Electricity Maps, and its tokens are theirs."""

MAX_AGE: Final = timedelta(hours=24)
"""The service calls 24 h its history: an older value is no longer `latest`."""
MAX_CLOCK_SKEW: Final = timedelta(minutes=10)

FORECAST_HOURS: Final = (6, 24, 48, 72)
"""Horizons that the service offers."""


@dataclass(frozen=True, repr=False)
class ApiToken:
    """A token and the variable it was set in; its text form does not show it."""

    token: str
    variable: str

    @property
    def outdated(self) -> bool:
        """Whether it is set under the name of the service that is gone."""
        return self.variable == OLD_TOKEN_VARIABLE


def token_from_environment(environment: Mapping[str, str] = os.environ) -> ApiToken | None:
    """Return the token of the environment; None where there is none."""
    tokens = (ApiToken(environment.get(name, "").strip(), name) for name in (TOKEN_VARIABLE, OLD_TOKEN_VARIABLE))
    return next((token for token in tokens if token.token), None)


class ElectricityMaps:
    """The client. Each method returns a `Series` or raises `ServiceError`."""

    def __init__(
        self, transport: Transport, clock: Callable[[], datetime] = utc_now, factors: Basis = "lifecycle"
    ) -> None:
        """`factors`: whether values cover the whole life of power plants or only what they emit in operation."""
        self._transport, self._clock, self._factors = transport, clock, factors

    def latest(self, location: Location) -> Series:
        """Return the newest interval. ServiceError where it is older than a day, or lies in the future."""
        series = self._request("latest", location)
        now, point = self._clock(), series.points[-1]
        if point.start > now + MAX_CLOCK_SKEW:
            raise ServiceError(
                "stale", f"its newest value is from {iso(point.start)}, in the future: check the clock of this machine"
            )
        if now - point.end > MAX_AGE:
            raise ServiceError("stale", f"its newest value is from {iso(point.start)}, more than a day old")
        return series

    def history(self, location: Location) -> Series:
        """Return the last 24 hours."""
        return self._request("history", location)

    def past_range(self, location: Location, start: datetime, end: datetime) -> Series:
        """Return the values from `start` to `end`. ServiceError for more than ten days."""
        if end - start > timedelta(days=10):
            raise ServiceError("request", f"it returns at most ten days, and {(end - start).days} were requested")
        return self._request("past-range", location, start=iso(start), end=iso(end))

    def forecast(self, location: Location, hours: int = FORECAST_HOURS[-1]) -> Series:
        """Return the next `hours`: 6, 24, 48 or 72."""
        return self._request("forecast", location, horizonHours=str(hours))

    def _request(self, temporality: str, location: Location, **more: str) -> Series:
        # Without disableCallerLookup, a place that cannot be resolved silently becomes the caller's own.
        fixed = {"emissionFactorType": self._factors, "disableCallerLookup": "true"}

        def parse(response: JsonResponse) -> Series:
            series = parse_series(response, self._factors)
            if location.zone is not None and series.zone != location.zone:
                raise ServiceError("wrong_zone", f"it returned {series.zone} instead of {location.zone}")
            return series

        parameters = {**location.parameters, **more, **fixed}
        return self._transport.get(f"carbon-intensity/{temporality}", parameters, self._clock(), parse)
