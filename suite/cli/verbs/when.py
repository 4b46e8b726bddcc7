"""`joulemark when`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.option_groups import Place
from joulemark.suite.errors import UsageError
from joulemark.suite.terminal.console import print_result

if TYPE_CHECKING:
    from joulemark.suite.carbon.series import Window
    from joulemark.suite.carbon.when import Advice


def command(
    zone: options.ZoneArgument = None,
    duration: Annotated[str, typer.Option(help="How long the work takes: 2h, 90min, 1h30m.")] = "1h",
    before: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it must be done: 18:00 or 2026-11-24T06:00, local time.")
    ] = None,
    as_json: options.Json = False,
    **given: Unpack[Place],
) -> None:
    """The best hours to run: now against the lowest mean intensity of the forecast, and what waiting saves.

    Needs ELECTRICITYMAPS_API_TOKEN, and a plan with forecasts. Assumes a constant load.
    """
    from joulemark.suite import settings
    from joulemark.suite.carbon.location import location_of
    from joulemark.suite.carbon.when import advise
    from joulemark.suite.cli.support.carbon_service import carbon_service

    chosen = settings.resolve({"zone": zone, **given})
    where = location_of(chosen)
    if where is None:
        raise UsageError("which place? Give a zone, such as `joulemark when CH --duration 2h`, or --coordinates.")
    now = datetime.now(UTC).replace(microsecond=0)
    length = _parse_duration(duration)
    deadline = _parse_deadline(before, now) if before is not None else None
    advice = advise(carbon_service(chosen), where, length, now, deadline)
    print_result(_document(advice, length), as_json, lambda: [_text(advice)])


def _parse_duration(text: str) -> timedelta:
    """Return the length of `2h`, `90min`, `1h30m` or `1.5h`. Raises UsageError."""
    match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)\s*h)?\s*(?:(\d+(?:\.\d+)?)\s*m(?:in)?)?", text.strip().lower())
    hours, minutes = (float(number or 0) for number in match.groups()) if match else (0.0, 0.0)
    length = timedelta(hours=hours, minutes=minutes) if hours < 1e4 and minutes < 1e6 else timedelta(0)
    if length <= timedelta(0):
        raise UsageError(f"--duration got {text!r}. Give hours or minutes, such as 2h, 90min or 1h30m.")
    return length


def _parse_deadline(text: str, now: datetime) -> datetime:
    """Return a time of day, the next one, or an ISO 8601 time; local without an offset. Raises UsageError."""
    local = now.astimezone()
    try:
        if len(text.strip()) <= len("23:59"):
            deadline = datetime.combine(local.date(), time.fromisoformat(text.strip().zfill(5))).astimezone()
            if deadline <= now:
                deadline = (deadline.replace(tzinfo=None) + timedelta(days=1)).astimezone()
        else:
            deadline = datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(f"--before got {text!r}. Give a time such as 18:00 or 2026-11-24T06:00.") from None
    if deadline <= now:
        raise UsageError(f"--before got {text!r}, which has passed: it is {local:%Y-%m-%d %H:%M} now.")
    return deadline.astimezone(UTC)


def _document(advice: Advice, length: timedelta) -> dict[str, Any]:
    from joulemark.suite.carbon.series import iso

    def window_document(window: Window) -> dict[str, Any]:
        return {"start": iso(window.start), "end": iso(window.end), "g_per_kwh": window.g_per_kwh}

    return {
        "zone": advice.forecast.zone,
        "source": advice.forecast.source,
        "basis": advice.forecast.basis,
        "duration_s": length.total_seconds(),
        "forecast_until": iso(advice.forecast.points[-1].end),
        "now": window_document(advice.now),
        "best": window_document(advice.best),
        "saving": advice.saving,
    }


def _text(advice: Advice) -> str:
    def line(name: str, window: Window) -> str:
        start, end = window.start.astimezone(), window.end.astimezone()
        return f"{name:<5} {start:%a %H:%M} - {end:%a %H:%M}   {window.g_per_kwh:.0f} g/kWh"

    until = advice.forecast.points[-1].end.astimezone()
    verdict = (
        f"Waiting saves {advice.saving:.0%} of the emissions."
        if advice.best.start > advice.now.start and advice.saving >= 0.005
        else "No later hour until then is better."
    )
    source = f"{advice.forecast.source}, {advice.forecast.zone}, forecast until {until:%a %H:%M}; local time"
    return "\n".join([line("Now", advice.now), line("Best", advice.best), verdict, source])
