"""What smart plugs answer over HTTP. Pure: documents in, watts and joules out.

- Shelly of the second generation and later: https://shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Switch,
  `apower` (W) and `aenergy.total` (Wh); energy meters (EM, EM1) have `total_act_power` or `act_power`.
- Shelly of the first: https://shelly-api-docs.shelly.cloud/gen1/, `power` (W) and `total`, in watt-minutes of a
  `meter`, in Wh of an `emeter`, one by one or as lists in `/status`.
- Tasmota: https://tasmota.github.io/docs/JSON-Status-Responses/, `StatusSNS.ENERGY` with `Power` (W) and `Total` (kWh).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joulemark.suite.sensors.node.redfish_chassis import JOULES_PER_KWH, at, number_at

Document = Mapping[str, Any]
WATT_MINUTE_J: Final = 60.0
WATT_HOUR_J: Final = 3600.0


@dataclass(frozen=True)
class PlugReading:
    """What a plug shows."""

    dialect: str
    power_w: float | None
    energy_j: float | None
    """Joules that it has counted; None if it does not count."""


@dataclass(frozen=True)
class Dialect:
    """One way to ask a plug."""

    name: str
    path: str
    parameters: tuple[tuple[str, str], ...] = ()


DIALECTS: Final = (
    Dialect("Shelly", "/rpc/Switch.GetStatus", (("id", "0"),)),
    Dialect("Shelly", "/rpc/PM1.GetStatus", (("id", "0"),)),
    Dialect("Shelly", "/status"),
    Dialect("Tasmota", "/cm", (("cmnd", "Status 8"),)),
)
"""Tried in this order at an address without a path."""
IDENTITIES: Final = {
    "Shelly": (Dialect("Shelly", "/shelly"), ("mac",)),
    "Tasmota": (Dialect("Tasmota", "/cm", (("cmnd", "Status 5"),)), ("StatusNET", "Mac")),
}
"""Where a plug says its hardware address, and under which keys."""


def shown(document: Document) -> PlugReading | None:
    """Return what `document` says; None for one of another kind. ValueError for one of several channels."""
    energy = at(document, ("StatusSNS", "ENERGY"))
    if isinstance(energy, Mapping):
        if isinstance(energy.get("Power"), list):
            raise ValueError("it has several channels, and Tasmota counts them together: use a plug with one")
        return _reading("Tasmota", energy, "Power", ("Total",), JOULES_PER_KWH)
    for name in ("apower", "act_power", "total_act_power"):
        if name in document:
            return _reading("Shelly", document, name, ("aenergy", "total"), WATT_HOUR_J)
    for name in ("meters", "emeters"):
        channels = document.get(name)
        if isinstance(channels, list) and channels:
            if len(channels) > 1:
                raise ValueError(f"it has {len(channels)} {name}: name one, as plug:ADDRESS/{name[:-1]}/0")
            return _first_generation(channels[0])
    return _first_generation(document) if "power" in document else None


def _first_generation(meter: Any) -> PlugReading | None:
    is_emeter = at(meter, ("voltage",)) is not None
    if at(meter, ("is_valid",)) is False:
        raise ValueError("it says that its own values are not valid")
    return _reading("Shelly", meter, "power", ("total",), WATT_HOUR_J if is_emeter else WATT_MINUTE_J)


def _reading(dialect: str, document: Any, power: str, energy: tuple[str, ...], factor: float) -> PlugReading | None:
    power_w, counted = number_at(document, (power,)), number_at(document, energy)
    if power_w is None and counted is None:
        return None
    return PlugReading(dialect, power_w, None if counted is None else counted * factor)
