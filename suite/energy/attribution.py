"""The energy attributed to trials and cases: what counts, its sum, kind and error, and what is missing. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from joulemark.suite.records import KINDS, Case, EnergyReading, Kind, Trial

SIMULATED_SENSORS: Final = frozenset({"simulated", "replay"})
"""Names of sensors that read no hardware."""


@dataclass(frozen=True)
class SummedEnergy:
    """The energy of one component over several windows, and how far it may be off."""

    energy_j: float
    below_j: float
    """How far below `energy_j` it may lie apart from the gain, joules."""
    above_j: float
    gain: tuple[float, float]
    """True over reported energy: the same in every trial, so that no number of trials narrows it."""

    @property
    def limits_j(self) -> tuple[float, float]:
        """The least and the most that the energy may be, joules."""
        return max(0.0, self.energy_j - self.below_j) * self.gain[0], (self.energy_j + self.above_j) * self.gain[1]


def summed_energy(readings: Sequence[EnergyReading]) -> SummedEnergy | None:
    """Return the sum of one component's readings, one for each trial; None where one of them has no limits.

    Errors from sampling are independent, since each trial begins at its own phase of the sensor: they add in
    quadrature, and their share of the sum falls with the square root of the number of trials. Errors that repeat in
    every trial just add.
    """
    errors = [error_j for reading in readings if (error_j := error_range_j(reading)) is not None]
    if len(errors) < len(readings):
        return None
    # What a model is wrong about is the same in every trial.
    repeated_j = [math.inf if reading.kind == "model" else reading.repeated_error_j for reading in readings]
    below_j, above_j = (
        sum(map(min, repeated_j, limits_j))
        + math.hypot(*(max(0.0, limit_j - known_j) for limit_j, known_j in zip(limits_j, repeated_j, strict=True)))
        for limits_j in zip(*errors, strict=True)
    )
    return SummedEnergy(
        energy_j=sum(reading.energy_j or 0.0 for reading in readings),
        below_j=below_j,
        above_j=above_j,
        gain=(min(reading.gain[0] for reading in readings), max(reading.gain[1] for reading in readings)),
    )


def error_range_j(reading: EnergyReading) -> tuple[float, float] | None:
    """Return how far below and above its value a reading may lie apart from its gain, joules: errors that add."""
    if reading.energy_j is None or reading.low_j is None or reading.high_j is None:
        return None
    below_j, above_j = reading.energy_j - reading.low_j / reading.gain[0], reading.high_j / reading.gain[1]
    return max(0.0, below_j), max(0.0, above_j - reading.energy_j)


ReadingKey = tuple[str, str, str]
"""Sensor, component and scope: what a reading was taken of."""


@dataclass(frozen=True)
class EnergySum:
    """The sum of attributed readings."""

    readings: tuple[EnergyReading, ...]
    """Those in the sum."""
    energy_j: float | None
    """None where `readings` is empty."""
    low_j: float | None
    """Sum of the sensors' lower limits; None where a sensor has none."""
    high_j: float | None
    kind: Kind
    """The weakest kind in the sum."""
    missing: tuple[str, ...]
    """Components that are attributed but have no value, each with its reason."""

    @property
    def lower_bound(self) -> bool:
        """Whether the sum lacks a component."""
        return bool(self.readings and self.missing)

    @property
    def reason(self) -> str | None:
        """Why there is no sum, or what it lacks; None where it is complete."""
        if not self.readings:
            return "; ".join(self.missing) or "no sensor was read"
        return "not measured: " + "; ".join(self.missing) if self.missing else None


@dataclass(frozen=True)
class AttributedEnergy:
    """The energy attributed to one trial."""

    trial: Trial
    readings: tuple[EnergyReading, ...]
    energy_j: float
    kind: Kind
    missing: tuple[str, ...]
    """Components without a value, each with its reason."""

    @property
    def keys(self) -> frozenset[ReadingKey]:
        """What was measured."""
        return frozenset(map(reading_key, self.readings))


@dataclass(frozen=True)
class CaseEnergy:
    """The energy attributed to the trials of one case, as far as these can be averaged."""

    trials: tuple[AttributedEnergy, ...]
    excluded: tuple[str, ...]
    """Why other trials are left out; empty where all are in."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Components that no trial has a value for, each with its reason."""
        return tuple(dict.fromkeys(reason for energy in self.trials for reason in energy.missing))

    @property
    def kind(self) -> Kind:
        """The weakest kind among the trials."""
        return weakest(energy.kind for energy in self.trials)

    @cached_property
    def by_component(self) -> dict[ReadingKey, tuple[EnergyReading, ...]]:
        """The readings of each component, one for each trial."""
        readings: dict[ReadingKey, tuple[EnergyReading, ...]] = {}
        for energy in self.trials:
            for reading in energy.readings:
                readings[reading_key(reading)] = (*readings.get(reading_key(reading), ()), reading)
        return readings

    @cached_property
    def sensor_range(self) -> tuple[float, float] | None:
        """Factors by which the sensors may be off, over all trials; None where a sensor gives no limits."""
        return self._range(lambda summed: summed.limits_j)

    @cached_property
    def gain_range(self) -> tuple[float, float] | None:
        """The part of `sensor_range` that more trials do not narrow: the sensors' gain."""
        return self._range(lambda summed: (summed.energy_j * summed.gain[0], summed.energy_j * summed.gain[1]))

    @cached_property
    def sampling_range(self) -> tuple[float, float] | None:
        """The part of `sensor_range` that is not gain, and differs from window to window."""
        return self._range(lambda s: (max(0.0, s.energy_j - s.below_j), s.energy_j + s.above_j))

    @cached_property
    def _summed(self) -> tuple[SummedEnergy | None, ...]:
        return tuple(summed_energy(readings) for readings in self.by_component.values())

    def _range(self, limits_j: Callable[[SummedEnergy], tuple[float, float]]) -> tuple[float, float] | None:
        """Return the sum of `limits_j` over all components, relative to the energy."""
        known = [limits_j(component) for component in self._summed if component is not None]
        if not known or len(known) < len(self._summed):
            return None
        total_j = sum(energy.energy_j for energy in self.trials)
        return sum(low for low, _ in known) / total_j, sum(high for _, high in known) / total_j


def attributed_readings(readings: Iterable[EnergyReading]) -> tuple[EnergyReading, ...]:
    """Return those of `readings` that are attributed to the case and have a value."""
    return tuple(reading for reading in readings if reading.attributed and reading.energy_j is not None)


def energy_sum(readings: Iterable[EnergyReading]) -> EnergySum:
    """Return the sum of the attributed ones of `readings`."""
    attributed = [reading for reading in readings if reading.attributed]
    known = attributed_readings(attributed)
    lows = [reading.low_j for reading in known if reading.low_j is not None]
    highs = [reading.high_j for reading in known if reading.high_j is not None]
    has_limits = bool(known) and len(lows) == len(highs) == len(known)
    missing = (f"{reading.component}: {reading.reason}" for reading in attributed if reading.energy_j is None)
    return EnergySum(
        readings=known,
        energy_j=sum(reading.energy_j or 0.0 for reading in known) if known else None,
        low_j=sum(lows) if has_limits else None,
        high_j=sum(highs) if has_limits else None,
        kind=weakest(reading.kind for reading in known),
        missing=tuple(dict.fromkeys(missing)),
    )


def case_energy(trials: Sequence[Trial]) -> CaseEnergy:
    """Return the energy of those of `trials` that can be averaged.

    Trials measured different things where a sensor failed in some of them: only those with the most readings count.
    """
    usable: list[AttributedEnergy] = []
    excluded: list[str] = []
    for trial in trials:
        total = energy_sum(trial.energy)
        if total.energy_j is None:
            excluded.extend(total.missing or ("no sensor was read",))
        elif total.energy_j <= 0:
            excluded.append("the energy of a window was below the sensor's resolution")
        else:
            usable.append(AttributedEnergy(trial, total.readings, total.energy_j, total.kind, total.missing))
    most = max((energy.keys for energy in usable), key=len, default=frozenset())
    comparable = tuple(energy for energy in usable if energy.keys == most)
    if len(comparable) < len(usable):
        excluded.append("a part of their energy was not measured")
    return CaseEnergy(comparable, tuple(dict.fromkeys(excluded)))


def is_estimated(case: Case) -> bool:
    """Return whether the energy of `case` comes from a model."""
    return case_energy(case.trials).kind == "model"


def is_simulated(case: Case) -> bool:
    """Return whether the energy of `case` is that of a simulated sensor, or of the traces of another run."""
    return any(
        reading.sensor in SIMULATED_SENSORS for energy in case_energy(case.trials).trials for reading in energy.readings
    )


def reading_key(reading: EnergyReading) -> ReadingKey:
    """Return what `reading` was taken of."""
    return reading.sensor, reading.component, reading.scope


def weakest(kinds: Iterable[Kind]) -> Kind:
    """Return the weakest of `kinds`, which is that of a sum of such readings; `unavailable` without any."""
    return max(kinds, key=KINDS.index, default="unavailable")
