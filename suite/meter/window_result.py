"""One window of somebody's code -> joules and grams, each with what it must carry. Pure.

The unit of everything here is a plain dictionary that JSON can hold: it crosses to a process that has none of our
records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulemark.suite import units
from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j, factors
from joulemark.suite.energy.attribution import weakest
from joulemark.suite.records import Emissions, EnergyReading

Document = dict[str, Any]

SCOPES = {
    "package": "whole processor",
    "dram": "all its memory",
    "cpu": "whole processor",
    "ram": "all its memory",
    "gpu": "whole board",
}
"""What each part is a reading of. No sensor tells programs apart: whatever else ran is in it."""


def account(energy: Sequence[EnergyReading], emissions: Emissions, duration_s: float) -> Document:
    """Joules and grams of a window of `duration_s` seconds whose readings are `energy`."""
    total = _total(energy)
    pue, intensity = emissions.pue, emissions.intensity
    facility = _scaled(total, facility_energy_j(1.0, pue.value), "J", pue=factors(pue.value, pue.low, pue.high))
    grams = _scaled(
        facility,
        emissions_g(1.0, intensity.g_per_kwh),
        "g",
        intensity=factors(intensity.g_per_kwh, intensity.low, intensity.high),
    )
    return {
        "readings": [reading.model_dump(mode="json") for reading in energy],
        "energy": total,
        "facility_energy": facility,
        "emissions": grams,
        "intensity": intensity.model_dump(mode="json"),
        "pue": pue.model_dump(mode="json"),
        "scope": scope(energy),
        "text": text(energy, total, grams, duration_s),
    }


def scope(energy: Sequence[EnergyReading]) -> str:
    """What the total is the energy of, in words."""
    parts = dict.fromkeys(SCOPES.get(reading.component, reading.component) for reading in _charged(energy))
    return f"{', '.join(parts)}: other programs' share is in it" if parts else "nothing was measured"


def text(energy: Sequence[EnergyReading], total: Document, grams: Document, duration_s: float) -> str:
    """One line for people."""
    if total["value"] is None:
        return f"{units.quantity(duration_s, 's')}; energy not measured: {total['reason']}"
    mark = ("at least " if total["lower_bound"] else "") + ("about " if total["kind"] == "model" else "")
    ends = (units.quantity(total["low"], "J"), units.quantity(total["high"], "J"))
    interval = f" [{ends[0]} to {ends[1]}]" if total["low"] is not None else ""
    parts = ", ".join(f"{reading.component} {units.quantity(reading.energy_j, 'J')}" for reading in _charged(energy))
    return (
        f"{mark}{units.quantity(total['value'], 'J')}{interval} ({parts}), {units.quantity(grams['value'], 'g')} CO2e, "
        f"{units.quantity(duration_s, 's')}; {scope(energy)}"
    )


def _charged(energy: Sequence[EnergyReading]) -> list[EnergyReading]:
    return [reading for reading in energy if reading.attributed and reading.energy_j is not None]


def _total(energy: Sequence[EnergyReading]) -> Document:
    """The sum of the attributed parts, of the weakest kind among them. `low` and `high` are the sensors'."""
    charged = _charged(energy)
    missing = [f"{r.component}: {r.reason}" for r in energy if r.attributed and r.energy_j is None]
    if not charged:
        return _amount(None, "unavailable", "; ".join(missing) or "no sensor was read")
    doubts = [f"{reading.component}: {reading.reason}" for reading in charged if reading.reason]
    reasons = [*doubts, *([f"not measured: {'; '.join(missing)}"] if missing else [])]
    amount = _amount(
        sum(reading.energy_j or 0.0 for reading in charged),
        weakest(reading.kind for reading in charged),
        "; ".join(reasons) or None,
    )
    lows = [reading.low_j for reading in charged if reading.low_j is not None]
    highs = [reading.high_j for reading in charged if reading.high_j is not None]
    if len(lows) == len(highs) == len(charged):
        amount |= {"low": sum(lows), "high": sum(highs)}
    return amount | {"lower_bound": bool(missing)}


def _amount(energy_j: float | None, kind: str, reason: str | None) -> Document:
    """Joules without ends or ranges."""
    ends: Document = {"low": None, "high": None, "ranges": {}}
    return {"value": energy_j, **ends, "unit": "J", "kind": kind, "lower_bound": False, "reason": reason}


def _scaled(amount: Document, factor: float, unit: str, **ranges: tuple[float, float] | None) -> Document:
    """`amount` times a constant, with that constant's range beside those it has."""
    scaled = {key: None if amount[key] is None else amount[key] * factor for key in ("value", "low", "high")}
    return {**amount, **scaled, "unit": unit, "ranges": {**amount["ranges"], **{k: v for k, v in ranges.items() if v}}}
