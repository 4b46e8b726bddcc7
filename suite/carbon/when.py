"""When to run: now against the best hours of the forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from joulemark.suite.carbon.electricity_maps import FORECAST_HOURS, ElectricityMaps
from joulemark.suite.carbon.location import Place
from joulemark.suite.carbon.series import Series, Window, best_window, in_order, iso
from joulemark.suite.carbon.service import Service
from joulemark.suite.carbon.transport import Failure
from joulemark.suite.errors import UsageError


@dataclass(frozen=True)
class Advice:
    """The window that starts now, the best one, and what waiting saves."""

    now: Window
    best: Window
    forecast: Series

    @property
    def saving(self) -> float:
        """The part of the emissions that waiting for the best window saves; 0 where now is best."""
        return 1 - self.best.g_per_kwh / self.now.g_per_kwh if self.now.g_per_kwh > 0 else 0.0


def advise(
    service: Service, place: Place, duration: timedelta, now: datetime, before: datetime | None = None
) -> Advice:
    """The best time for `duration` under a constant load, that ends by `before` and within the forecast.

    UsageError where there is no forecast, or the time does not fit into it.
    """
    try:
        found = ahead(service, place, now)
    except Failure as failure:
        raise UsageError(f"there is no forecast for {place.label}: {failure}.") from None
    end = found.points[-1].end
    try:
        at_once = Window(now, now + duration, found.mean(now, now + duration))
        best = best_window(found, duration, now, before)
    except ValueError:
        limit = min(end, before) if before is not None else end
        raise UsageError(
            f"{_hours(duration)} do not fit between now ({iso(now)}) and {iso(limit)}, "
            f"{'the time given' if before is not None and before < end else 'the end of the forecast'}."
        ) from None
    return Advice(at_once, best, found)


def ahead(service: Service, place: Place, now: datetime) -> Series:
    """The longest forecast that the token is good for, with the hour that has begun. Failure where there is none."""
    if service.maps is None:
        raise Failure("no_token", service.absent or "nobody is asked")
    found = _longest(service.maps, place)
    if found.points[0].start <= now:
        return found
    newest = service.maps.latest(place)
    return replace(found, points=in_order((*newest.points, *found.points)))


def _longest(maps: ElectricityMaps, place: Place) -> Series:
    try:
        return maps.forecast(place, FORECAST_HOURS[-1])
    except Failure as failure:
        if failure.kind not in {"not_licensed", "request"}:
            raise
    return maps.forecast(place, 24)


def _hours(duration: timedelta) -> str:
    return f"{duration / timedelta(hours=1):g} h"
