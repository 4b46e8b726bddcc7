"""The energy and emissions of one window of a user's code. Pure.

Results are plain dictionaries that JSON can hold: they go to a process that imports none of the records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from joulemark.suite import units
from joulemark.suite.energy.attribution import EnergySum, energy_sum
from joulemark.suite.energy.components import component_named
from joulemark.suite.records import Emissions, EnergyReading, Quantity
from joulemark.suite.results.summary import facility_and_emissions

Document = dict[str, Any]


def window_result(readings: Sequence[EnergyReading], emissions: Emissions, duration_s: float) -> Document:
    """Return energy and emissions of a window of `duration_s` seconds, as `joulemark.Measurement` takes them."""
    energy = energy_sum(readings)
    total = _total(energy)
    facility, grams = facility_and_emissions(total, emissions)
    return {
        "readings": [reading.model_dump(mode="json") for reading in readings],
        "energy": _document(total),
        "facility_energy": _document(facility),
        "emissions": _document(grams),
        "intensity": emissions.intensity.model_dump(mode="json"),
        "pue": emissions.pue.model_dump(mode="json"),
        "scope": scope(energy),
        "text": text(energy, total, grams, duration_s),
    }


def scope(energy: EnergySum) -> str:
    """Return what the total covers, in words. No sensor separates programs: others that ran are included."""
    parts = dict.fromkeys(component_named(reading.component).scope for reading in energy.readings)
    return f"{', '.join(parts)}, other programs included" if parts else "nothing was measured"


def text(energy: EnergySum, total: Quantity, grams: Quantity, duration_s: float) -> str:
    """Return the result in one line."""
    if total.value is None:
        return f"{units.quantity(duration_s, 's')}; energy not measured: {total.reason}"
    mark = ("at least " if total.lower_bound else "") + ("about " if total.kind == "model" else "")
    interval = (
        f" [{units.quantity(total.low, 'J')} to {units.quantity(total.high, 'J')}]" if total.low is not None else ""
    )
    parts = ", ".join(f"{reading.component} {units.quantity(reading.energy_j, 'J')}" for reading in energy.readings)
    return (
        f"{mark}{units.quantity(total.value, 'J')}{interval} ({parts}), {units.quantity(grams.value, 'g')} CO2e, "
        f"{units.quantity(duration_s, 's')}; {scope(energy)}"
    )


def _total(energy: EnergySum) -> Quantity:
    """Return the sum as a quantity; its `low` and `high` are the sensors'."""
    doubts = [f"{reading.component}: {reading.reason}" for reading in energy.readings if reading.reason]
    return Quantity(
        value=energy.energy_j,
        low=energy.low_j,
        high=energy.high_j,
        unit="J",
        n=len(energy.readings),
        kind=energy.kind,
        lower_bound=energy.lower_bound,
        reason="; ".join([*doubts, *([energy.reason] if energy.reason else [])]) or None,
    )


def _document(quantity: Quantity) -> Document:
    ranges = {name: value for name, value in quantity.ranges.model_dump().items() if value is not None}
    return quantity.model_dump(exclude={"n", "ranges"}) | {"ranges": ranges}
