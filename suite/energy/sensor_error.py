"""The error of one component's energy over several trials: what trials narrow, and what they do not. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.suite.records import EnergyReading


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
