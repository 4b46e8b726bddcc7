"""Where a computer takes its electricity from: a zone, coordinates, or a provider's data centre."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings


@dataclass(frozen=True)
class Location:
    """One location."""

    label: str
    """As the user wrote it."""
    zone: str | None
    """The zone, in capitals; None where the service finds it from coordinates or a data centre."""
    parameters: Mapping[str, str]
    """How Electricity Maps is asked for it."""


def location_of(settings: Settings) -> Location | None:
    """Return the location in `settings`; None where there is none. UsageError for two, or one that cannot be."""
    options = {"--zone": settings.zone, "--coordinates": settings.coordinates, "--data-center": settings.data_center}
    given = [option for option, value in options.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} were given. Give only one of them.")
    if settings.coordinates is not None:
        return _coordinates(settings.coordinates)
    if settings.data_center is not None:
        return _data_center(settings.data_center)
    return by_zone(settings.zone) if settings.zone is not None else None


def by_zone(zone: str) -> Location:
    """Return the location of `zone`, such as CH or DK-DK2."""
    name = zone.strip().upper()
    return Location(zone, name, {"zone": name})


def _coordinates(text: str) -> Location:
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        latitude = longitude = float("nan")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise UsageError(
            f"--coordinates got {text!r}. Give LATITUDE,LONGITUDE in degrees, such as 47.37,8.54 (north and east)."
        )
    return Location(text, None, {"lat": f"{latitude:g}", "lon": f"{longitude:g}"})


def _data_center(text: str) -> Location:
    match = re.fullmatch(r"\s*([a-z]+)\s*:\s*([a-z0-9-]+)\s*", text.lower())
    if match is None:
        raise UsageError(f"--data-center got {text!r}. Give PROVIDER:REGION, such as gcp:europe-west6.")
    provider, region = match.groups()
    return Location(text, None, {"dataCenterProvider": provider, "dataCenterRegion": region})
