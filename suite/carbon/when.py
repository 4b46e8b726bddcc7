"""When to run: now against the best hours of the forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from joulemark.suite.carbon.electricity_maps import FORECAST_HOURS
from joulemark.suite.carbon.location import Location
from joulemark.suite.carbon.series import Series, Window, best_window, in_order, iso
from joulemark.suite.carbon.service import Service
from joulemark.suite.carbon.service_response import ServiceError
from joulemark.suite.errors import UsageError


@dataclass(frozen=True)
class Advice:
    """The window that starts now, the best one, and what waiting saves."""

    now: Window
    best: Window
    forecast: Series

    @property
    def saving(self) -> float:
        """The share of the emissions that waiting for the best window saves; 0 where now is best."""
        return 1 - self.best.g_per_kwh / self.now.g_per_kwh if self.now.g_per_kwh > 0 else 0.0


def advise(
    service: Service, location: Location, duration: timedelta, now: datetime, before: datetime | None = None
) -> Advice:
    """Return the best time for a constant load of `duration` that ends by `before`. UsageError if not in a forecast."""
    try:
        series = forecast_from_now(service, location, now)
    except ServiceError as error:
        raise UsageError(f"there is no forecast for {location.label}: {error}.") from None
    end = series.points[-1].end
    try:
        at_once = Window(now, now + duration, series.mean(now, now + duration))
        best = best_window(series, duration, now, before)
    except ValueError:
        limit = min(end, before) if before is not None else end
        raise UsageError(
            f"{duration / timedelta(hours=1):g} h do not fit between now ({iso(now)}) and {iso(limit)}, "
            f"{'the time given' if before is not None and before < end else 'the end of the forecast'}."
        ) from None
    return Advice(at_once, best, series)


def forecast_from_now(service: Service, location: Location, now: datetime) -> Series:
    """Return the longest forecast that the token's plan includes, with the current hour. ServiceError if none."""
    if service.maps is None:
        raise ServiceError("no_token", service.unused_reason or "no service is configured")
    try:
        forecast = service.maps.forecast(location, FORECAST_HOURS[-1])
    except ServiceError as error:
        if error.kind not in {"not_licensed", "request"}:
            raise
        forecast = service.maps.forecast(location, 24)
    if forecast.points[0].start <= now:
        return forecast
    latest = service.maps.latest(location)
    return replace(forecast, points=in_order((*latest.points, *forecast.points)))
