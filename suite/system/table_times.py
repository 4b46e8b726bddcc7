"""Times as other programs write them -> seconds since 1970.

A number is seconds, or by its size milli-, micro- or nanoseconds. A date is by its zone, else by this machine's. Where
a text has two readings (3/4 in two countries, an hour that a clock shows twice), the one nearest to `now_s` counts.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

_SIZES: Final = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Numbers below the first are seconds (until the year 5138) divided by the second."""
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK: Final = (
    r"(?P<h>\d{1,2}):(?P<min>\d\d)(?::(?P<s>\d\d)(?P<f>[.,]\d+)?)?"
    r"\s*(?P<half>[AaPp][Mm](?![A-Za-z]))?\s*(?P<zone>\S.*)?"
)
_FORMS: Final = tuple(
    re.compile(form + _CLOCK)
    for form in (
        r"(?P<y>\d{4})(?P<mark>[-/.])(?P<m>\d{1,2})(?P=mark)(?P<d>\d{1,2})(?:[T ,_]\s*)",
        r"(?P<p>\d{1,2})(?P<mark>[-/.])(?P<q>\d{1,2})(?P=mark)(?P<y>\d{4})(?:[T ,_]\s*)",
        r"(?:[A-Za-z]{3},?\s+)?(?P<name>[A-Za-z]{3})\s+(?P<d>\d{1,2})\s+(?=[\d:]+\s+\d{4}$)",
        r"",
    )
)
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?")
_IANA = re.compile(r"[A-Z][A-Za-z_]+/[A-Z][A-Za-z_/+-]+")


def epoch_s(text: str, now_s: float, zone: tzinfo | None = None) -> float | None:
    """Return the time in `text`, seconds since 1970; None where it has none.

    `zone` is that of times without one; None is this machine's.
    """
    text = text.strip().strip('"')
    if re.fullmatch(r"\d+([.,]\d*)?", text):
        value = float(text.replace(",", "."))
        divisor = next((divisor for limit, divisor in _SIZES if value < limit), None)
        return value / divisor if divisor is not None else None
    times = []
    for moment in _moments(text, now_s, zone):
        try:
            times.append(moment.timestamp())
        except (OverflowError, ValueError, OSError):  # beyond the calendar
            continue
    times = [value for value in times if math.isfinite(value)]
    return min(times, key=lambda value: abs(value - now_s)) if times else None


def zone_in(name: str) -> tzinfo | None:
    """Return the time zone that the name of a column has in it, such as `time (UTC)`; None where it has none."""
    if re.search(r"(?<![a-z])(utc|gmt)(?![a-z])", name.lower()):
        return UTC
    match = _IANA.search(name)
    return _named(match[0]) if match is not None else None


def _moments(text: str, now_s: float, zone: tzinfo | None) -> Iterator[datetime]:
    """Yield all readings of `text`."""
    match = next((match for form in _FORMS if (match := form.fullmatch(text)) is not None), None)
    if match is None:
        return
    part = match.groupdict()
    if part.get("name"):  # Mon Nov 30 12:00:00 2026, as ctime(3) writes it
        part["y"], part["zone"] = part["zone"] or "", None
    given = _zone(part["zone"]) if part["zone"] else zone
    if part["zone"] and given is None and part["zone"].strip() not in time.tzname:
        return  # an abbreviation: there are three of IST
    for year, month, day in _dates(part, now_s):
        for fold in (0, 1):
            try:
                moment = datetime(year, month, day, _hour(part), int(part["min"]), int(part["s"] or 0), fold=fold)
            except ValueError:
                continue
            fraction = float("0." + part["f"][1:]) if part["f"] else 0.0
            yield moment.replace(tzinfo=given) + timedelta(seconds=fraction) if given else _local(moment, fraction)


def _local(moment: datetime, fraction_s: float) -> datetime:
    """Return a time of this machine's clock with its offset."""
    try:
        return moment.astimezone() + timedelta(seconds=fraction_s)
    except (OverflowError, OSError, ValueError):
        return moment.replace(tzinfo=UTC)


def _hour(part: dict[str, str | None]) -> int:
    hour = int(part["h"] or 0)
    if part["half"] is None:
        return hour
    return hour % 12 + (12 if part["half"].lower() == "pm" else 0)


def _dates(part: dict[str, str | None], now_s: float) -> Iterator[tuple[int, int, int]]:
    """Yield the dates that a text may name: both orders of day and month, or the days around now without any."""
    if part.get("p") and part.get("q"):
        year, first, second = int(part["y"] or 0), int(part["p"] or 0), int(part["q"] or 0)
        yield year, second, first
        if part["mark"] != ".":  # with points, the day is first
            yield year, first, second
    elif part.get("name"):
        name = (part["name"] or "").lower()
        if name in _MONTHS and re.fullmatch(r"\d{4}", part["y"] or ""):
            yield int(part["y"] or 0), _MONTHS.index(name) + 1, int(part["d"] or 0)
    elif part.get("y"):
        yield int(part["y"] or 0), int(part["m"] or 0), int(part["d"] or 0)
    else:
        today = datetime.fromtimestamp(now_s, UTC)
        for days in (-1, 0, 1):
            day = today + timedelta(days=days)
            yield day.year, day.month, day.day


def _zone(text: str) -> tzinfo | None:
    text = text.strip().strip("[]()")
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    if (match := _OFFSET.fullmatch(text)) is not None:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(-offset if match[1] == "-" else offset) if offset < timedelta(hours=24) else None
    return _named(text) if _IANA.fullmatch(text) else None


def _named(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
