"""`joulemark intensity`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.option_groups import Place
from joulemark.suite.errors import UsageError
from joulemark.suite.terminal.console import print_json, print_message, print_text

if TYPE_CHECKING:
    from joulemark.suite.carbon.series import Point, Series
    from joulemark.suite.carbon.service import Service
    from joulemark.suite.records import Intensity, Settings


def command(
    zone: options.ZoneArgument = None,
    history: Annotated[bool, typer.Option("--history", help="Also the last 24 hours.")] = False,
    forecast: Annotated[bool, typer.Option("--forecast", help="Also the forecast.")] = False,
    offline: options.Offline = False,
    as_json: options.Json = False,
    **given: Unpack[Place],
) -> None:
    """The grid's carbon intensity now, and where the number comes from.

    With ELECTRICITYMAPS_API_TOKEN set it is of this hour; without, of the latest year.
    """
    from joulemark.suite import settings
    from joulemark.suite.carbon.resolve import resolve
    from joulemark.suite.cli.support.carbon_service import carbon_service, notice_text

    chosen = settings.resolve({"zone": zone, "offline": offline or None, **given})
    chosen = chosen.model_copy(update={"intensity": None})
    if chosen.zone is None and chosen.coordinates is None and chosen.data_center is None:
        raise UsageError("which place? Give a zone, such as `joulemark intensity CH`, or --coordinates.")
    now = datetime.now(UTC)
    service = carbon_service(chosen)
    emissions, notices = resolve(chosen, now, service)
    lists = _series(service, chosen, now, history, forecast)
    if as_json:
        rows = {name: [_point_document(point) for point in series.points] for name, series in lists.items()}
        print_json({**emissions.intensity.model_dump(mode="json"), **rows})
        return
    print_text(_text(emissions.intensity))
    for notice in notices:
        print_message(notice_text(notice))
    for name, series in lists.items():
        print_text(f"\n{name.capitalize()}, g/kWh, UTC", *_chart(series))


def _series(service: Service, chosen: Settings, now: datetime, history: bool, forecast: bool) -> dict[str, Series]:
    """Return the series that were asked for. Raises UsageError if one is not available: nothing can replace it."""
    from joulemark.suite.carbon.location import location_of
    from joulemark.suite.carbon.service_response import ServiceError
    from joulemark.suite.carbon.when import forecast_from_now

    location = location_of(chosen)
    assert location is not None
    series: dict[str, Series] = {}
    try:
        if history:
            if service.maps is None:
                raise ServiceError("no_token", service.unused_reason or "no service is configured")
            series["history"] = service.maps.history(location)
        if forecast:
            series["forecast"] = forecast_from_now(service, location, now)
    except ServiceError as error:
        missing = "history" if history and "history" not in series else "forecast"
        raise UsageError(f"there is no {missing} for {location.label}: {error}.") from None
    return series


def _point_document(point: Point) -> dict[str, Any]:
    from joulemark.suite.carbon.series import iso

    return {
        "start": iso(point.start),
        "end": iso(point.end),
        "g_per_kwh": point.g_per_kwh,
        "is_estimated": point.is_estimated,
    }


def _text(intensity: Intensity) -> str:
    """Return the number and its provenance in a few lines."""
    time = intensity.interval_start or intensity.vintage
    method = f" ({intensity.method})" if intensity.method else ""
    estimated = f"; estimated by the source{method}" if intensity.is_estimated else ""
    lines = [
        f"{intensity.zone or 'World'}: {intensity.g_per_kwh:g} g/kWh" + (f" of {time}" if time else ""),
        f"{intensity.source}; {intensity.signal}, {intensity.basis} factors{estimated}",
    ]
    return "\n".join([*lines, *([intensity.reason] if intensity.reason else [])])


def _chart(series: Series) -> list[str]:
    from joulemark.suite.terminal.chart import bar_chart

    return bar_chart([(point.start.strftime("%a %H:%M"), point.g_per_kwh) for point in series.points])
