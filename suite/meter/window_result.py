"""The energy and emissions of one window of a user's code. Pure.

Results are plain dictionaries that JSON can hold: they go to a process that imports none of the records.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from joulemark.suite import units
from joulemark.suite.energy.attribution import EnergySum, energy_sum
from joulemark.suite.energy.components import component_named
from joulemark.suite.energy.energy_source import energy_source
from joulemark.suite.records import Emissions, EnergyReading, Quantity
from joulemark.suite.results.summary import facility_and_emissions

Document = dict[str, Any]


def window_result(
    readings: Sequence[EnergyReading], emissions: Emissions, duration_s: float, simulated: Collection[str] = ()
) -> Document:
    """Return energy and emissions of a window of `duration_s` seconds, as `joulemark.Measurement` takes them.

    `simulated` are the names of the sensors that are simulated.
    """
    energy = energy_sum(readings)
    total = _total(energy)
    facility, grams = facility_and_emissions(total, emissions)
    source = energy_source(readings, simulated)
    failed = [reading for reading in readings if reading.attributed and reading.energy_j is None and reading.sensor]
    return {
        "readings": [reading.model_dump(mode="json") for reading in readings],
        "energy": _document(total),
        "facility_energy": _document(facility),
        "emissions": _document(grams),
        "intensity": emissions.intensity.model_dump(mode="json"),
        "pue": emissions.pue.model_dump(mode="json"),
        "scope": scope(energy),
        "source": source,
        "text": _wall_text(readings, total, emissions, duration_s)
        + text(energy, total, grams, duration_s, source, failed),
    }


def scope(energy: EnergySum) -> str:
    """Return what the total covers, in words. No sensor separates programs: others that ran are included."""
    parts = dict.fromkeys(component_named(reading.component).scope for reading in energy.readings)
    return f"{', '.join(parts)}, other programs included" if parts else "nothing was measured"


def text(
    energy: EnergySum,
    total: Quantity,
    grams: Quantity,
    duration_s: float,
    source: str,
    failed: Sequence[EnergyReading] = (),
) -> str:
    """Return the result in one line.

    `source` says where the energy comes from; `failed` are readings of sensors that were read, but gave no value.
    """
    if total.value is None:
        return f"{units.quantity(duration_s, 's')}; energy not measured: {total.reason}"
    mark = ("at least " if total.lower_bound else "") + ("about " if total.kind == "model" else "")
    interval = (
        f" [{units.quantity(total.low, 'J')} to {units.quantity(total.high, 'J')}]" if total.low is not None else ""
    )
    doubts = _doubts([*energy.readings, *failed])
    parts = ", ".join(f"{reading.component} {units.quantity(reading.energy_j, 'J')}" for reading in energy.readings)
    return (
        f"{mark}{units.quantity(total.value, 'J')}{interval} ({parts}), {units.quantity(grams.value, 'g')} CO2e, "
        f"{units.quantity(duration_s, 's')}; {'; '.join([scope(energy), source, *doubts])}"
    )


def _wall_text(readings: Sequence[EnergyReading], total: Quantity, emissions: Emissions, duration_s: float) -> str:
    """Return what a wall meter measured, where nothing else was measured; else nothing."""
    wall = next((r for r in readings if r.component == "machine" and r.energy_j is not None), None)
    if wall is None or total.kind in {"counter", "integrated"}:
        return ""
    energy = Quantity(value=wall.energy_j, low=wall.low_j, high=wall.high_j, unit="J", n=1, kind=wall.kind)
    _, grams = facility_and_emissions(energy, emissions)
    joules, low, high = (units.quantity(value, "J") for value in (energy.value, energy.low, energy.high))
    where = f"{component_named(wall.component).scope} at the wall, measured ({wall.sensor})"
    where += f"; {wall.reason}" if wall.reason else ""
    return (
        f"{joules} [{low} to {high}] ({wall.component}), {units.quantity(grams.value, 'g')} CO2e, "
        f"{units.quantity(duration_s, 's')}; {where}. Without it: "
    )


def _total(energy: EnergySum) -> Quantity:
    """Return the sum as a quantity; its `low` and `high` are the sensors'."""
    return Quantity(
        value=energy.energy_j,
        low=energy.low_j,
        high=energy.high_j,
        unit="J",
        n=len(energy.readings),
        kind=energy.kind,
        lower_bound=energy.lower_bound,
        reason="; ".join([*_doubts(energy.readings), *([energy.reason] if energy.reason else [])]) or None,
    )


def _doubts(readings: Sequence[EnergyReading]) -> list[str]:
    """Return what weakens `readings`, each with its component."""
    return [f"{reading.component}: {reading.reason}" for reading in readings if reading.reason]


def _document(quantity: Quantity) -> Document:
    ranges = {name: value for name, value in quantity.ranges.model_dump().items() if value is not None}
    return quantity.model_dump(exclude={"n", "ranges"}) | {"ranges": ranges}
