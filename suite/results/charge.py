"""The energy that trials are charged with, and how far it can be believed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from suite.results.records import KINDS, Energy, Idle, Kind, Trial

Part = tuple[str, str, str]
"""Sensor, component and scope: what one reading is of."""


@dataclass(frozen=True)
class Charge:
    """What one trial is charged with."""

    trial: Trial
    parts: frozenset[Part]
    """What was measured."""
    energy_j: float
    kind: Kind
    missing: tuple[str, ...]
    """Parts that were not measured, with the reasons."""


@dataclass(frozen=True)
class Charges:
    """The trials of a case whose energy can be averaged."""

    charged: tuple[Charge, ...]
    left_out: tuple[str, ...]
    """Why other trials' cannot; empty where all are in."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Parts that no trial measured, with the reasons."""
        return tuple(dict.fromkeys(reason for charge in self.charged for reason in charge.missing))

    @property
    def kind(self) -> Kind:
        """The weakest kind of all parts."""
        return weakest(charge.kind for charge in self.charged)

    @property
    def sensor_range(self) -> tuple[float, float] | None:
        """Factors that the sensors may be off by, over all trials; None where one of them does not say."""
        readings = [reading for charge in self.charged for reading in measured(charge.trial)]
        total_j = sum(reading.energy_j for reading in readings if reading.energy_j is not None)
        lows = [reading.low_j for reading in readings if reading.low_j is not None]
        highs = [reading.high_j for reading in readings if reading.high_j is not None]
        if not readings or len(lows) < len(readings) or len(highs) < len(readings):
            return None
        return sum(lows) / total_j, sum(highs) / total_j


@dataclass(frozen=True)
class Rest:
    """Power of one part at rest."""

    power_w: float
    kind: Kind


def charges(trials: Sequence[Trial]) -> Charges:
    """What each of `trials` is charged with.

    Trials that were charged with unlike parts (a board's sensor failed in one of them) measured unlike things: only
    those with the most parts count.
    """
    found: list[Charge] = []
    left_out: list[str] = []
    for trial in trials:
        readings = measured(trial)
        missing = tuple(
            f"{reading.component}: {reading.reason}"
            for reading in trial.energy
            if reading.attributed and reading.energy_j is None
        )
        energy_j = sum(reading.energy_j for reading in readings if reading.energy_j is not None)
        if not readings:
            left_out.extend(missing or ("no sensor was read",))
        elif energy_j <= 0:
            left_out.append("the energy of a window was below the sensor's resolution")
        else:
            parts = frozenset(part(reading) for reading in readings)
            found.append(Charge(trial, parts, energy_j, weakest(reading.kind for reading in readings), missing))
    most = max((charge.parts for charge in found), key=len, default=frozenset())
    alike = tuple(charge for charge in found if charge.parts == most)
    if len(alike) < len(found):
        left_out.append("a part of their energy was not measured")
    return Charges(alike, tuple(dict.fromkeys(left_out)))


def measured(trial: Trial) -> tuple[Energy, ...]:
    """The readings with a value that the trial is charged with."""
    return tuple(reading for reading in trial.energy if reading.attributed and reading.energy_j is not None)


def part(reading: Energy) -> Part:
    """What `reading` is of."""
    return reading.sensor, reading.component, reading.scope


def weakest(kinds: Iterable[Kind]) -> Kind:
    """The weakest of some kinds, which a sum of such readings is of; `unavailable` where there is none."""
    return max(kinds, key=KINDS.index, default="unavailable")


def window_length_s(trial: Trial) -> float:
    """Length of the window, seconds; 0 where there is none."""
    return trial.window_s[1] - trial.window_s[0] if trial.window_s is not None else 0.0


def at_rest(idle: Iterable[Idle]) -> Mapping[Part, Rest]:
    """Mean power of each part over the idle windows that it was read in."""
    energy_j: dict[Part, float] = {}
    duration_s: dict[Part, float] = {}
    kinds: dict[Part, Kind] = {}
    for entry in idle:
        length_s = entry.window_s[1] - entry.window_s[0]
        for reading in entry.energy:
            if reading.energy_j is not None and length_s > 0:
                name = part(reading)
                energy_j[name] = energy_j.get(name, 0.0) + reading.energy_j
                duration_s[name] = duration_s.get(name, 0.0) + length_s
                kinds[name] = weakest([reading.kind, kinds.get(name, reading.kind)])
    return {name: Rest(energy_j[name] / duration_s[name], kinds[name]) for name in energy_j}
