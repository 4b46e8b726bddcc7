"""Idle power: its mean over a run's idle windows, energy net of it, and its drift. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from joulemark.suite.energy.attribution import (
    CaseEnergy,
    ReadingKey,
    attributed_readings,
    error_range_j,
    reading_key,
    summed_energy,
    weakest,
)
from joulemark.suite.records import EnergyReading, Idle, Kind, RunFile

ROUNDING: Final = 1e-6
"""Share of idle energy below which net energy is only the rounding error of a sum: a model at its upper limit gives the
same power idle and under load."""


@dataclass(frozen=True)
class IdlePower:
    """Mean idle power of one component."""

    power_w: float
    kind: Kind
    error_range_w: tuple[float, float] | None
    """How far below and above this it may lie apart from the sensor's gain, watts; None where the sensor has no
    limits."""
    limits_w: tuple[float, float] | None
    """The least and the most that it may be, gain included, watts; None where the sensor has no limits."""


@dataclass(frozen=True)
class NetEnergy:
    """The energy of a case's trials less idle power times time."""

    energy_j: tuple[float, ...]
    """One value for each trial of the `CaseEnergy`; empty where there is none, with the reason."""
    kind: Kind = "unavailable"
    sensor_range: tuple[float, float] | None = None
    """Factors by which the sensors may be off; None where a sensor gives no limits."""
    reason: str | None = None


@dataclass(frozen=True)
class ComponentEnergy:
    """The energy of one component over all windows of a case."""

    component: str
    kind: Kind
    energy_j: float
    idle_j: float | None
    """What it would have used idle, at most `energy_j`; None where its idle power is not known."""


def mean_idle_power(idle: Iterable[Idle]) -> Mapping[ReadingKey, IdlePower]:
    """Return the mean idle power of each component over the windows it was read in."""
    windows: dict[ReadingKey, list[tuple[EnergyReading, float]]] = {}
    for entry in idle:
        length_s = entry.window_s[1] - entry.window_s[0]
        for reading in entry.energy:
            if reading.energy_j is not None and length_s > 0:
                windows.setdefault(reading_key(reading), []).append((reading, length_s))
    return {key: _mean(readings) for key, readings in windows.items()}


def _mean(windows: Sequence[tuple[EnergyReading, float]]) -> IdlePower:
    """Return the mean of one component's readings, each given with the length of its window in seconds."""
    duration_s = sum(length_s for _, length_s in windows)
    errors_j = [error_j for reading, _ in windows if (error_j := error_range_j(reading)) is not None]
    limits_j = [limits_j for reading, _ in windows if (limits_j := _limits_j(reading)) is not None]
    known = len(errors_j) == len(limits_j) == len(windows)
    return IdlePower(
        power_w=sum(reading.energy_j or 0.0 for reading, _ in windows) / duration_s,
        kind=weakest(reading.kind for reading, _ in windows),
        error_range_w=_per_second(errors_j, duration_s) if known else None,
        limits_w=_per_second(limits_j, duration_s) if known else None,
    )


def _per_second(pairs_j: Sequence[tuple[float, float]], duration_s: float) -> tuple[float, float]:
    return sum(low for low, _ in pairs_j) / duration_s, sum(high for _, high in pairs_j) / duration_s


def _limits_j(reading: EnergyReading) -> tuple[float, float] | None:
    return None if reading.low_j is None or reading.high_j is None else (reading.low_j, reading.high_j)


def net_energy(energy: CaseEnergy, power: Mapping[ReadingKey, IdlePower]) -> NetEnergy:
    """Return the energy of each trial above idle; none, with the reason, where one of them is not above idle.

    `power` is the run's `mean_idle_power`.
    """
    if not energy.trials:
        return NetEnergy((), reason="; ".join(energy.excluded))
    keys = [reading_key(reading) for reading in energy.trials[0].readings]
    unknown = sorted({component for sensor, component, scope in keys if (sensor, component, scope) not in power})
    if unknown:
        return NetEnergy((), reason=f"idle power of {', '.join(unknown)} is not known")
    idle_w = sum(power[key].power_w for key in keys)
    pairs_j = [(trial.energy_j, idle_w * trial.trial.window_length_s) for trial in energy.trials]
    below = sum(gross_j <= idle_j * (1 + ROUNDING) for gross_j, idle_j in pairs_j)
    if below:
        of = f"{below} of {len(pairs_j)} trials"
        return NetEnergy((), reason=f"gross power is not above idle ({idle_w:.3g} W) in {of}")
    return NetEnergy(
        energy_j=tuple(gross_j - idle_j for gross_j, idle_j in pairs_j),
        kind=weakest([energy.kind, *(power[key].kind for key in keys)]),
        sensor_range=_net_range(energy, power),
    )


def _net_range(energy: CaseEnergy, power: Mapping[ReadingKey, IdlePower]) -> tuple[float, float] | None:
    """Return the factors by which the sensors may be off in net energy, over all trials.

    A component's gain scales its own net energy. Errors that add to its gross and to its idle readings add here too,
    also where it uses no more than idle. The error of a model changes with the load, and so does not cancel.
    """
    length_s = sum(trial.trial.window_length_s for trial in energy.trials)
    total_j = low_j = high_j = 0.0
    for key, readings in energy.by_component.items():
        limits_j = _net_limits_j(readings, power[key], length_s)
        if limits_j is None:
            return None
        total_j += sum(reading.energy_j or 0.0 for reading in readings) - power[key].power_w * length_s
        low_j += limits_j[0]
        high_j += limits_j[1]
    return max(0.0, low_j) / total_j, high_j / total_j


def _net_limits_j(readings: Sequence[EnergyReading], idle: IdlePower, length_s: float) -> tuple[float, float] | None:
    """Return the least and the most that a component's net energy over all trials may be, joules."""
    gross = summed_energy(readings)
    if gross is None or idle.error_range_w is None or idle.limits_w is None:
        return None
    if "model" in (readings[0].kind, idle.kind):
        least_j, most_j = gross.limits_j
        return least_j - idle.limits_w[1] * length_s, most_j - idle.limits_w[0] * length_s
    net_j = gross.energy_j - idle.power_w * length_s
    least_j = net_j - gross.below_j - idle.error_range_w[1] * length_s
    most_j = net_j + gross.above_j + idle.error_range_w[0] * length_s
    return min(least_j * gain for gain in gross.gain), max(most_j * gain for gain in gross.gain)


def component_energy(energy: CaseEnergy, idle: Iterable[Idle]) -> tuple[ComponentEnergy, ...]:
    """Return the energy of each component over all trials of a case, and how much of it is idle."""
    power = mean_idle_power(idle)
    by_component: dict[str, list[tuple[EnergyReading, float]]] = {}
    for trial in energy.trials:
        for reading in trial.readings:
            by_component.setdefault(reading.component, []).append((reading, trial.trial.window_length_s))
    totals = []
    for component, readings in by_component.items():
        gross_j = sum(reading.energy_j or 0.0 for reading, _ in readings)
        idle_j = [
            power[key].power_w * length_s for reading, length_s in readings if (key := reading_key(reading)) in power
        ]
        # A component that uses less than idle under a load has no share above it.
        known_j = min(sum(idle_j), gross_j) if len(idle_j) == len(readings) else None
        totals.append(ComponentEnergy(component, readings[-1][0].kind, gross_j, known_j))
    return tuple(totals)


def idle_drift(run_file: RunFile) -> float | None:
    """Return the largest relative change of idle power from before to after the run, among its cases.

    Only components that a case is charged with count: others contain them, or are not used. None where none was read
    both times.
    """
    before = mean_idle_power(entry for entry in run_file.idle if entry.when == "before")
    after = mean_idle_power(entry for entry in run_file.idle if entry.when == "after")
    trials = [trial for case in run_file.cases for trial in case.trials]
    changes = []
    for keys in {frozenset(map(reading_key, attributed_readings(trial.energy))) for trial in trials}:
        common = keys & before.keys() & after.keys()
        before_w = sum(before[key].power_w for key in common)
        if before_w > 0:
            changes.append(sum(after[key].power_w for key in common) / before_w - 1)
    return max(changes, key=abs, default=None)
