"""The energy that trials are charged with, and how far it can be believed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from joulemark.suite.records import KINDS, Case, EnergyReading, Idle, Kind, Trial

Part = tuple[str, str, str]
"""Sensor, component and scope: what one reading is of."""


@dataclass(frozen=True)
class AttributedEnergy:
    """What one trial is charged with."""

    trial: Trial
    parts: frozenset[Part]
    """What was measured."""
    energy_j: float
    kind: Kind
    missing: tuple[str, ...]
    """Parts that were not measured, with the reasons."""


@dataclass(frozen=True)
class CaseEnergy:
    """The trials of a case whose energy can be averaged."""

    charged: tuple[AttributedEnergy, ...]
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
class IdlePower:
    """Power of one part at rest."""

    power_w: float
    kind: Kind
    off_w: tuple[float, float] | None
    """How far below and above this it may lie beside the sensor's gain, watts; None where the sensor does not say."""
    ends_w: tuple[float, float] | None
    """The least and the most that it may be, the gain in it, watts; None where the sensor does not say."""


def estimated(case: Case) -> bool:
    """Whether the energy of `case` is a model's."""
    return charges(case.trials).kind == "model"


def charges(trials: Sequence[Trial]) -> CaseEnergy:
    """What each of `trials` is charged with.

    Trials that were charged with unlike parts (a board's sensor failed in one of them) measured unlike things: only
    those with the most parts count.
    """
    found: list[AttributedEnergy] = []
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
            found.append(
                AttributedEnergy(trial, parts, energy_j, weakest(reading.kind for reading in readings), missing)
            )
    most = max((charge.parts for charge in found), key=len, default=frozenset())
    alike = tuple(charge for charge in found if charge.parts == most)
    if len(alike) < len(found):
        left_out.append("a part of their energy was not measured")
    return CaseEnergy(alike, tuple(dict.fromkeys(left_out)))


def measured(trial: Trial) -> tuple[EnergyReading, ...]:
    """The readings with a value that the trial is charged with."""
    return tuple(reading for reading in trial.energy if reading.attributed and reading.energy_j is not None)


def part(reading: EnergyReading) -> Part:
    """What `reading` is of."""
    return reading.sensor, reading.component, reading.scope


def off_j(reading: EnergyReading) -> tuple[float, float] | None:
    """How far below and above its value a reading may lie beside its gain, joules: what adds, and does not scale."""
    if reading.energy_j is None or reading.low_j is None or reading.high_j is None:
        return None
    below_j, above_j = (
        reading.energy_j - reading.low_j / reading.gain[0],
        reading.high_j / reading.gain[1] - reading.energy_j,
    )
    return max(0.0, below_j), max(0.0, above_j)


def net_range(found: CaseEnergy, rest: Mapping[Part, IdlePower]) -> tuple[float, float] | None:
    """Factors that the sensors may be off by in gross less idle, over all trials; None where one does not say.

    A part's gain scales its own net energy. What adds to its gross and to its idle readings adds here too, also where
    the part draws no more than at rest. What a model is off by changes with the load, and so does not cancel.
    """
    total_j = low_j = high_j = 0.0
    for charge in found.charged:
        length_s = window_length_s(charge.trial)
        for reading in measured(charge.trial):
            idle = rest[part(reading)]
            ends = _net_ends_j(reading, idle, length_s)
            if ends is None:
                return None
            total_j += (reading.energy_j or 0.0) - idle.power_w * length_s
            low_j += ends[0]
            high_j += ends[1]
    return max(0.0, low_j) / total_j, high_j / total_j


def _net_ends_j(reading: EnergyReading, idle: IdlePower, length_s: float) -> tuple[float, float] | None:
    """The least and the most that a part's gross less idle may be, joules; None where the sensor does not say."""
    off = off_j(reading)
    if reading.energy_j is None or reading.low_j is None or reading.high_j is None or off is None:
        return None
    if idle.off_w is None or idle.ends_w is None:
        return None
    if "model" in (reading.kind, idle.kind):
        return reading.low_j - idle.ends_w[1] * length_s, reading.high_j - idle.ends_w[0] * length_s
    net_j = reading.energy_j - idle.power_w * length_s
    least_j = net_j - off[0] - idle.off_w[1] * length_s
    most_j = net_j + off[1] + idle.off_w[0] * length_s
    return min(least_j * gain for gain in reading.gain), max(most_j * gain for gain in reading.gain)


def weakest(kinds: Iterable[Kind]) -> Kind:
    """The weakest of some kinds, which a sum of such readings is of; `unavailable` where there is none."""
    return max(kinds, key=KINDS.index, default="unavailable")


def window_length_s(trial: Trial) -> float:
    """Length of the window, seconds; 0 where there is none."""
    return trial.window_s[1] - trial.window_s[0] if trial.window_s is not None else 0.0


def mean_idle_power(idle: Iterable[Idle]) -> Mapping[Part, IdlePower]:
    """Mean power of each part over the idle windows that it was read in."""
    windows: dict[Part, list[tuple[EnergyReading, float]]] = {}
    for entry in idle:
        length_s = entry.window_s[1] - entry.window_s[0]
        for reading in entry.energy:
            if reading.energy_j is not None and length_s > 0:
                windows.setdefault(part(reading), []).append((reading, length_s))
    return {name: _rest(found) for name, found in windows.items()}


def _rest(windows: Sequence[tuple[EnergyReading, float]]) -> IdlePower:
    """The mean of one part's readings, each with its window's length in seconds."""
    duration_s = sum(length_s for _, length_s in windows)
    off = [found for reading, _ in windows if (found := off_j(reading)) is not None]
    ends = [
        (reading.low_j, reading.high_j)
        for reading, _ in windows
        if reading.low_j is not None and reading.high_j is not None
    ]
    known = len(off) == len(ends) == len(windows)
    return IdlePower(
        power_w=sum(reading.energy_j or 0.0 for reading, _ in windows) / duration_s,
        kind=weakest(reading.kind for reading, _ in windows),
        off_w=(sum(a for a, _ in off) / duration_s, sum(b for _, b in off) / duration_s) if known else None,
        ends_w=(sum(a for a, _ in ends) / duration_s, sum(b for _, b in ends) / duration_s) if known else None,
    )
