"""Where a computer takes its electricity from: a zone, coordinates, or a provider's data centre."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings


@dataclass(frozen=True)
class Place:
    """One location."""

    label: str
    """As a person wrote it."""
    zone: str | None
    """The zone asked for, in capitals; None where the source finds it from the other two."""
    parameters: Mapping[str, str]
    """How Electricity Maps is asked for it."""


def place(settings: Settings) -> Place | None:
    """The location in `settings`; None where there is none. UsageError for two, or one that cannot be."""
    given = {
        "--zone": settings.zone,
        "--coordinates": settings.coordinates,
        "--data-center": settings.data_center,
    }
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} were given. One of them is enough: give only it.")
    if settings.coordinates is not None:
        return _coordinates(settings.coordinates)
    if settings.data_center is not None:
        return _data_center(settings.data_center)
    return by_zone(settings.zone) if settings.zone is not None else None


def by_zone(zone: str) -> Place:
    """The zone `zone`, such as CH or DK-DK2."""
    name = zone.strip().upper()
    return Place(zone, name, {"zone": name})


def _coordinates(text: str) -> Place:
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        latitude = longitude = float("nan")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise UsageError(
            f"--coordinates got {text!r}. Give LATITUDE,LONGITUDE in degrees, such as 47.37,8.54 (north and east)."
        )
    return Place(text, None, {"lat": f"{latitude:g}", "lon": f"{longitude:g}"})


def _data_center(text: str) -> Place:
    match = re.fullmatch(r"\s*([a-z]+)\s*:\s*([a-z0-9-]+)\s*", text.lower())
    if match is None:
        raise UsageError(f"--data-center got {text!r}. Give PROVIDER:REGION, such as gcp:europe-west6.")
    provider, region = match.groups()
    return Place(text, None, {"dataCenterProvider": provider, "dataCenterRegion": region})
