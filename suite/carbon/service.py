"""Electricity Maps as far as there is a token and a network: which request covers which time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from joulemark.suite.carbon.electricity_maps import BASE_URL, URL_VARIABLE, ElectricityMaps, token_from_environment
from joulemark.suite.carbon.location import Location
from joulemark.suite.carbon.provenance import Span
from joulemark.suite.carbon.series import Basis, Series, in_order, start_of_hour, utc_now
from joulemark.suite.carbon.service_response import TIMEOUT_S, ServiceError
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice

RECENT = timedelta(hours=23)
"""The history goes 24 hours back; older values need another kind of access."""


@dataclass(frozen=True)
class Service:
    """Electricity Maps, or the reason why it is not used."""

    maps: ElectricityMaps | None
    unused_reason: str | None = None
    """None where `maps` is set."""
    notices: tuple[Notice, ...] = ()

    def series(self, location: Location, now: datetime, span: Span | None) -> Series:
        """Return the grid at `location` now, or over `span`. ServiceError where it is not available."""
        if self.maps is None:
            raise ServiceError("no_token", self.unused_reason or "no service is configured")
        if span is None:
            return self.maps.latest(location)
        start, end = span
        if now - start > RECENT:
            return self.maps.past_range(location, start_of_hour(start), start_of_hour(end) + timedelta(hours=1))
        latest = self.maps.latest(location)
        if latest.covers(start, end):
            return latest
        try:
            history = self.maps.history(location)
        except ServiceError:
            return latest
        return replace(latest, points=in_order((*history.points, *latest.points)))


def from_environment(
    offline: bool,
    factors: Basis,
    cache: Path | None,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], datetime] = utc_now,
    timeout_s: float = TIMEOUT_S,
    backoff_s: float = 0.5,
) -> Service:
    """Return the service by the environment's token and address; `cache` is a directory to keep responses in."""
    if offline:
        return Service(None, "--offline was given")
    access = token_from_environment(environment)
    if access is None:
        return Service(None, "no ELECTRICITYMAPS_API_TOKEN is set")
    from joulemark.suite.carbon.transport import Transport  # imports requests and its cache: 0.2 s

    try:
        transport = Transport(environment.get(URL_VARIABLE) or BASE_URL, access.token, timeout_s, backoff_s, cache)
    except ServiceError as error:
        return Service(None, error.message)
    notices = (Notice.of(Code.OLD_TOKEN, access.variable),) if access.outdated else ()
    return Service(ElectricityMaps(transport, clock, factors), None, notices)
