"""The energy and emissions of one window of a user's code. Pure.

Results are plain dictionaries that JSON can hold: they go to a process that imports none of the records.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from joulemark.suite import units
from joulemark.suite.energy.attribution import EnergySum, energy_sum
from joulemark.suite.energy.components import component_named
from joulemark.suite.energy.energy_source import energy_source
from joulemark.suite.energy.whole_machine.share import headline_readings, node_share
from joulemark.suite.records import Emissions, EnergyReading, Quantity
from joulemark.suite.results.summary import facility_and_emissions

Document = dict[str, Any]

THIS_MACHINE: Final = "this machine"
"""What an estimate covers: a guest, or all of a server; its evidence says whether at the wall."""
_PLACES: Final = {"wall": "at the wall", "plug": "at the wall", "node": "by its management controller"}


def window_result(
    readings: Sequence[EnergyReading], emissions: Emissions, duration_s: float, simulated: Collection[str] = ()
) -> Document:
    """Return energy and emissions of a window of `duration_s` seconds, as `joulemark.Measurement` takes them.

    Where a sensor of the whole machine is all that measured, the energy is its, and `charged` the sum without it: an
    estimate, or nothing. `simulated` are the names of the sensors that are simulated.
    """
    charged = energy_sum(readings)
    energy = energy_sum(headline_readings(readings))
    total, charged_total = _total(energy), _total(charged)
    facility, grams = facility_and_emissions(total, emissions)
    source = energy_source(readings, simulated)
    failed = [reading for reading in readings if reading.attributed and reading.energy_j is None and reading.sensor]
    share = node_share([(duration_s, readings)])
    line = text(charged, charged_total, facility_and_emissions(charged_total, emissions)[1], duration_s, source, failed)
    document = {
        "readings": [reading.model_dump(mode="json") for reading in readings],
        "energy": _document(total),
        "facility_energy": _document(facility),
        "emissions": _document(grams),
        "intensity": emissions.intensity.model_dump(mode="json"),
        "pue": emissions.pue.model_dump(mode="json"),
        "scope": scope(energy),
        "source": source,
        "node": None if share is None else share.document(),
    }
    if energy.readings == charged.readings:
        return {**document, "text": line + (f"; {share.text()}" if share is not None else "")}
    (whole,) = energy.readings
    return {**document, "charged": _document(charged_total), "text": f"{_whole_text(whole, grams, duration_s)}{line}"}


def component_sums(readings: Sequence[EnergyReading]) -> dict[str, float]:
    """Return joules by component, as `joulemark.Measurement.components` does."""
    energy_j: dict[str, float] = {}
    for reading in readings:
        if reading.attributed and reading.energy_j is not None:
            energy_j[reading.component] = energy_j.get(reading.component, 0.0) + reading.energy_j
    return energy_j


def scope(energy: EnergySum) -> str:
    """Return what the total covers, in words. No sensor separates programs: others that ran are included."""
    parts = dict.fromkeys(
        THIS_MACHINE if reading.evidence else component_named(reading.component).scope for reading in energy.readings
    )
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
    doubts += [f"{reading.component}: {reading.calibration}" for reading in energy.readings if reading.calibration]
    parts = ", ".join(f"{reading.component} {_joules(reading)}" for reading in energy.readings)
    return (
        f"{mark}{units.quantity(total.value, 'J')}{interval} ({parts}), {units.quantity(grams.value, 'g')} CO2e, "
        f"{units.quantity(duration_s, 's')}; {'; '.join([scope(energy), source, *doubts])}"
    )


def _joules(reading: EnergyReading) -> str:
    """Return the joules of a reading: of an estimate `about` so many, to two digits."""
    is_estimate = reading.kind == "model"
    return ("about " if is_estimate else "") + units.quantity(reading.energy_j, "J", 2 if is_estimate else 3)


def _whole_text(whole: EnergyReading, grams: Quantity, duration_s: float) -> str:
    """Return what a sensor of the whole machine measured, where nothing else was measured."""
    joules, low, high = (units.quantity(value, "J") for value in (whole.energy_j, whole.low_j, whole.high_j))
    where = f"{component_named(whole.component).scope} {_PLACES.get(whole.scope, '')}".rstrip()
    where += f", measured ({whole.sensor})" + (f"; {whole.reason}" if whole.reason else "")
    return (
        f"{joules} [{low} to {high}] ({whole.component}), {units.quantity(grams.value, 'g')} CO2e, "
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
