"""Where a Redfish service shows the power of a chassis. Pure: documents in, places of values out.

Schemas of DMTF (DSP8010): EnvironmentMetrics since 2020.4 (`PowerWatts`, `EnergyJoules`, `EnergykWh`, each with a
`Reading`), PowerSupplyMetrics below PowerSubsystem (`InputPowerWatts`), Sensor (`Reading` in `ReadingUnits`), and Power
before that (`PowerControl[].PowerConsumedWatts`), which most controllers still have beside the others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from joulemark.suite.system.text import one_line

Document = Mapping[str, Any]
Keys = tuple[str | int, ...]
"""The way to a value in a document: names of fields and numbers of elements."""

JOULES_PER_KWH: Final = 3.6e6
MAX_PATH: Final = 500
UNITS: Final = {"W": ("W", 1.0), "kW": ("W", 1e3), "J": ("J", 1.0), "kW.h": ("J", JOULES_PER_KWH), "W.h": ("J", 3600.0)}
"""Units of sensors, in UCUM, as the unit of a channel and a factor."""
IN_METRICS: Final = (("PowerWatts", "W", 1.0), ("EnergyJoules", "J", 1.0), ("EnergykWh", "J", JOULES_PER_KWH))
"""Fields of EnvironmentMetrics."""
IN_SUPPLY: Final = (("InputPowerWatts", "W", 1.0), ("EnergykWh", "J", JOULES_PER_KWH))
"""Fields of PowerSupplyMetrics."""
TOTAL_SENSOR: Final = re.compile(
    r"(total|chassis|system|node|server|platform)\w*(power|energy|watt|pwr)|(power|pwr|energy)\w*total", re.IGNORECASE
)
"""Ids of sensors of the whole chassis. Controllers have up to hundreds of sensors, each a request."""
PARTS: Final = re.compile(
    r"cpu|processor|memory|dimm|gpu|accelerator|fan|storage|drive|board|domain|subsystem|sub-system", re.IGNORECASE
)
"""Names of entries of PowerControl that are parts of another entry."""
NOT_A_NODE: Final = frozenset({"Component", "Module", "Card", "Cartridge", "Zone", "Drawer", "Row", "Rack", "Pod"})
"""Types of chassis that are less than a computer, or hold several."""


@dataclass(frozen=True)
class Place:
    """Where values are that add up to the power or the energy of a chassis."""

    unit: str
    """`W` or `J`."""
    what: str
    """For people: `EnvironmentMetrics PowerWatts`."""
    values: tuple[tuple[str, Keys, float], ...]
    """The path of a document, the way to the value in it, and what it is multiplied by."""
    entry: str = ""
    """The name of an entry of PowerControl; empty for any other place."""

    @property
    def paths(self) -> frozenset[str]:
        """The documents to read."""
        return frozenset(path for path, _, _ in self.values)

    def value(self, documents: Mapping[str, Document]) -> float | None:
        """Return the sum of the values in `documents`, as they stand; None where one is missing or no number."""
        shown = [(number_at(documents.get(path, {}), keys), factor) for path, keys, factor in self.values]
        known = [value * factor for value, factor in shown if value is not None]
        return math.fsum(known) if known and len(known) == len(shown) else None


def at(document: Any, keys: Keys) -> Any:
    """Return what is at `keys` in a document; None where there is nothing."""
    for key in keys:
        if isinstance(key, int):
            document = document[key] if isinstance(document, list) and key < len(document) else None
        else:
            document = document.get(key) if isinstance(document, Mapping) else None
    return document


def number_at(document: Any, keys: Keys) -> float | None:
    """Return the number at `keys`, NaN and negative ones too; None where there is none."""
    value = at(document, keys)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # of hundreds of digits
        return math.inf


def resolves(document: Document, keys: Keys, factor: float) -> bool:
    """Return whether there is a number at `keys` that changes within a run: not a count of whole kilowatt-hours."""
    value = at(document, keys)
    return number_at(document, keys) is not None and not (factor == JOULES_PER_KWH and isinstance(value, int))


def text_at(document: Any, *keys: str) -> str:
    """Return the text at `keys` for people, 80 printable characters at most; empty where there is none."""
    value = at(document, keys)
    return one_line(value)[:80] if isinstance(value, str) else ""


def link(document: Document, name: str) -> str | None:
    """Return the path of the resource `name` that `document` refers to; None where that is no path of the service."""
    path = at(document, (name, "@odata.id"))
    return path if is_path(path) else None


def members(collection: Document) -> list[str]:
    """Return the paths of the members of a collection."""
    entries = collection.get("Members")
    paths = [at(entry, ("@odata.id",)) for entry in entries] if isinstance(entries, list) else []
    return [path for path in paths if is_path(path)]


def is_path(path: Any) -> TypeGuard[str]:
    """Return whether `path` is one of a Redfish service, and no address of another host."""
    if not isinstance(path, str) or len(path) > MAX_PATH:
        return False
    return re.fullmatch(r"/redfish/v1/[\w./~%:$&'()*+,;=@ -]+", path) is not None and ".." not in path


def is_node(chassis: Document) -> bool:
    """Return whether a chassis may be the computer, rather than a part of it."""
    return text_at(chassis, "ChassisType") not in NOT_A_NODE


def in_metrics(path: str, document: Document) -> list[Place]:
    """Return what EnvironmentMetrics shows."""
    return [
        Place(unit, f"EnvironmentMetrics {name}", ((path, (name, "Reading"), factor),))
        for name, unit, factor in IN_METRICS
        if resolves(document, (name, "Reading"), factor)
    ]


def in_supplies(documents: Mapping[str, Document]) -> list[Place]:
    """Return the sums over the metrics of all power supplies, by path, where each shows it."""
    places = []
    for name, unit, factor in IN_SUPPLY:
        values = tuple((path, (name, "Reading"), factor) for path in documents)
        place = Place(unit, f"{name} of {len(values)} power supplies", values)
        if values and all(resolves(documents[path], keys, factor) for path, keys, _ in values):
            places.append(place)
    return places


def in_power(path: str, document: Document) -> list[Place]:
    """Return the entries of PowerControl that are of the whole chassis; several if that cannot be told."""
    entries = document.get("PowerControl")
    numbered = list(enumerate(entries)) if isinstance(entries, list) else []
    shown = [(i, entry) for i, entry in numbered if number_at(entry, ("PowerConsumedWatts",)) is not None]
    wholes = [(i, entry) for i, entry in shown if not PARTS.search(text_at(entry, "Name"))] or shown[:1]
    return [
        Place(
            "W",
            "PowerControl PowerConsumedWatts",
            ((path, ("PowerControl", i, "PowerConsumedWatts"), 1.0),),
            entry=text_at(entry, "Name") or str(i),
        )
        for i, entry in wholes
    ]


def in_sensor(path: str, document: Document) -> list[Place]:
    """Return what a sensor of the whole chassis shows."""
    unit = UNITS.get(text_at(document, "ReadingUnits"))
    context = text_at(document, "PhysicalContext")
    if (
        unit is None
        or not resolves(document, ("Reading",), unit[1])
        or context not in ("", "Chassis", "PowerSubsystem")
    ):
        return []
    return [Place(unit[0], f"sensor {text_at(document, 'Id')}", ((path, ("Reading",), unit[1]),))]


def total_sensors(collection: Document) -> list[str]:
    """Return the paths of the sensors of a collection that may be of the whole chassis."""
    return [path for path in members(collection) if TOTAL_SENSOR.search(path.rpartition("/")[2])]


def best(places: Sequence[Place]) -> list[Place]:
    """Return the first place of each unit, energy first."""
    by_unit = {place.unit: place for place in reversed(places)}
    return [by_unit[unit] for unit in ("J", "W") if unit in by_unit]
