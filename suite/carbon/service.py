"""The grid by the hour, as far as there is a token and a network: which question answers for which time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from joulemark.suite.carbon.cache import Cache
from joulemark.suite.carbon.electricity_maps import BASE_URL, URL_VARIABLE, ElectricityMaps, access, utc_now
from joulemark.suite.carbon.location import Place
from joulemark.suite.carbon.provenance import Span
from joulemark.suite.carbon.series import Basis, Series, in_order
from joulemark.suite.carbon.transport import TIMEOUT_S, Failure, Transport
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice

RECENT = timedelta(hours=23)
"""The history goes 24 hours back; beyond it a question needs another kind of access."""


@dataclass(frozen=True)
class Service:
    """Electricity Maps, or why it is not asked."""

    maps: ElectricityMaps | None
    absent: str | None = None
    """Why there is nobody to ask; None where there is."""
    notices: tuple[Notice, ...] = ()

    def series(self, place: Place, now: datetime, span: Span | None) -> Series:
        """The grid at `place` now, or over `span`. Failure where it cannot be had."""
        if self.maps is None:
            raise Failure("no_token", self.absent or "it is not asked")
        if span is None:
            return self.maps.latest(place)
        start, end = span
        if now - start > RECENT:
            hour = timedelta(hours=1)
            return self.maps.past_range(place, _floor(start), _floor(end) + hour)
        newest = self.maps.latest(place)
        if newest.covers(start, end):
            return newest
        try:
            earlier = self.maps.history(place)
        except Failure:
            return newest
        return replace(newest, points=in_order((*earlier.points, *newest.points)))


def from_environment(
    offline: bool,
    factors: Basis,
    cache: Path | None,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], datetime] = utc_now,
    timeout_s: float = TIMEOUT_S,
    backoff_s: float = 0.5,
) -> Service:
    """The service as the environment's token and address make it; `cache`: a directory to keep answers in."""
    if offline:
        return Service(None, "--offline was given")
    found = access(environment)
    if found is None:
        return Service(None, "no ELECTRICITYMAPS_API_TOKEN is set")
    try:
        transport = Transport(environment.get(URL_VARIABLE) or BASE_URL, found.token, timeout_s, backoff_s)
    except Failure as failure:
        return Service(None, failure.message)
    maps = ElectricityMaps(transport, Cache(cache) if cache is not None else None, clock, factors)
    return Service(maps, None, (Notice.of(Code.OLD_TOKEN, found.variable),) if found.outdated else ())


def _floor(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)
