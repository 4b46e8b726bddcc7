"""`joulemark intensity`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from datetime import datetime

    from joulemark.suite.carbon.series import Series
    from joulemark.suite.carbon.service import Service
    from joulemark.suite.records import Intensity, Settings


def command(
    zone: Annotated[str | None, typer.Argument(metavar="ZONE", help="Grid zone, such as CH or DK-DK2.")] = None,
    history: Annotated[bool, typer.Option("--history", help="The last 24 hours too.")] = False,
    forecast: Annotated[bool, typer.Option("--forecast", help="The hours to come too.")] = False,
    coordinates: options.Coordinates = None,
    data_center: options.DataCenter = None,
    emission_factors: options.EmissionFactors = None,
    offline: options.Offline = False,
    as_json: options.Json = False,
) -> None:
    """The grid's carbon intensity now, and where the number comes from.

    With ELECTRICITYMAPS_API_TOKEN set it is of this hour; without, of the latest year.
    """
    from datetime import UTC, datetime

    from joulemark.suite import settings
    from joulemark.suite.carbon.resolve import resolve
    from joulemark.suite.cli.support.carbon_inputs import service, told
    from joulemark.suite.errors import UsageError
    from joulemark.suite.terminal import console

    chosen = settings.resolve(
        {
            "zone": zone,
            "coordinates": coordinates,
            "data_center": data_center,
            "emission_factors": emission_factors,
            "offline": offline or None,
        }
    ).model_copy(update={"intensity": None})
    if chosen.zone is None and chosen.coordinates is None and chosen.data_center is None:
        raise UsageError("which place? Give a zone, such as `joulemark intensity CH`, or --coordinates.")
    now = datetime.now(UTC)
    grid = service(chosen)
    emissions, notices = resolve(chosen, now, grid)
    lists = _lists(grid, chosen, now, history, forecast)
    if as_json:
        rows = {name: [_row(point) for point in series.points] for name, series in lists.items()}
        console.print_json({**emissions.intensity.model_dump(mode="json"), **rows})
        return
    console.print_text(_line(emissions.intensity))
    for notice in notices:
        console.print_message(told(notice))
    for name, series in lists.items():
        console.print_text(f"\n{name.capitalize()}, g/kWh, UTC", *_bars(series))


def _lists(grid: Service, chosen: Settings, now: datetime, history: bool, forecast: bool) -> dict[str, Series]:
    """The lists that were asked for. UsageError where one cannot be had: there is nothing to stand in for it."""
    from joulemark.suite.carbon.location import place
    from joulemark.suite.carbon.transport import Failure
    from joulemark.suite.carbon.when import ahead
    from joulemark.suite.errors import UsageError

    where = place(chosen)
    assert where is not None
    found: dict[str, Series] = {}
    try:
        if history:
            if grid.maps is None:
                raise Failure("no_token", grid.absent or "nobody is asked")
            found["history"] = grid.maps.history(where)
        if forecast:
            found["forecast"] = ahead(grid, where, now)
    except Failure as failure:
        wanted = "history" if history and "history" not in found else "forecast"
        raise UsageError(f"there is no {wanted} for {where.label}: {failure}.") from None
    return found


def _row(point: Any) -> dict[str, Any]:
    from joulemark.suite.carbon.series import iso

    return {
        "start": iso(point.start),
        "end": iso(point.end),
        "g_per_kwh": point.g_per_kwh,
        "is_estimated": point.is_estimated,
    }


def _line(found: Intensity) -> str:
    """The number and its pedigree in a few lines."""
    of = f"of {found.interval_start}" if found.interval_start else f"of {found.vintage}" if found.vintage else ""
    method = f" ({found.method})" if found.method else ""
    estimated = f"; estimated by the source{method}" if found.is_estimated else ""
    zone = found.zone or "World"
    lines = [
        f"{zone}: {found.g_per_kwh:g} g/kWh {of}".rstrip(),
        f"{found.source}; {found.signal}, {found.basis} factors{estimated}",
    ]
    return "\n".join([*lines, *([found.reason] if found.reason else [])])


def _bars(series: Series) -> list[str]:
    from joulemark.suite.terminal.chart import bar_chart

    return bar_chart([(point.start.strftime("%a %H:%M"), point.g_per_kwh) for point in series.points])
