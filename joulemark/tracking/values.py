"""Measurements as rows of an experiment tracker: joules, grams and watts, in total and by component.

The names of numbers say their units. A number from a model of load and TDP ends in `_estimated`, and one that lacks a
component in `_at_least`, so that no chart mixes these with measured ones. What was not measured is absent.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from joulemark.measurement import Amount, Measurement
from joulemark.suite.system.clock import monotonic_s
from joulemark.suite.trackers.base import Row

if TYPE_CHECKING:
    from joulemark.training import Epoch, Training

Values = dict[str, float]


def window_row(series: str, measurement: Measurement, index: int | None) -> Row:
    """Return the row of one window: its duration, and its energy, emissions and power in total and by component."""
    values: Values = {"duration_s": measurement.duration_s}
    for name in ("energy", "facility_energy", "emissions"):
        amount: Amount = getattr(measurement, name)
        _add(values, f"{name}_{amount.unit.lower()}", amount.value, amount)
    energy, duration_s = measurement.energy, measurement.duration_s
    if energy.value is not None and duration_s > 0:
        _add(values, "power_w", energy.value / duration_s, energy)
    values |= _component_values(measurement, measurement.components, duration_s)
    return Row(series, values, _wall_time_s(measurement.end_s), index)


def training_rows(series: str, training: Training) -> list[Row]:
    """Return the rows of a training: of each step or group of steps, of each epoch, and of the whole."""
    if training.whole is None:
        return []
    rows: list[Row] = []
    steps_before = 0
    for number, epoch in enumerate(training.epochs):
        rows += _step_rows(f"{series}/step", epoch, steps_before)
        steps_before += epoch.steps
        row = window_row(f"{series}/epoch", epoch.whole, number)
        rest: Values = {}
        _add(rest, "rest_energy_j", epoch.rest_j, epoch.whole.energy)
        rows.append(Row(row.series, {**row.values, **rest}, row.time_s, number))
    return [*rows, window_row(series, training.whole, None)]


def _step_rows(series: str, epoch: Epoch, steps_before: int) -> list[Row]:
    """Return the rows of an epoch's steps; of a group that was marked together, the mean of its steps at the last."""
    energy, grams = epoch.whole.energy, epoch.whole.emissions
    fields = zip(
        epoch.step_counts, epoch.step_s, epoch.step_end_s, epoch.step_energy_j, epoch.step_components_j, strict=True
    )
    rows, last = [], steps_before - 1
    for count, duration_s, end_s, energy_j, components_j in fields:
        last += count
        if count < 1 or duration_s <= 0:
            continue
        values: Values = {"duration_s": duration_s / count}
        if energy_j is not None:
            _add(values, "energy_j", energy_j / count, energy)
            _add(values, "power_w", energy_j / duration_s, energy)
            if (g_per_j := _g_per_j(epoch.whole)) is not None:
                _add(values, "emissions_g", energy_j * g_per_j / count, grams)
        per_step_j = {name: component_j / count for name, component_j in components_j.items()}
        values |= _component_values(epoch.whole, per_step_j, duration_s / count)
        rows.append(Row(series, values, _wall_time_s(end_s), last))
    return rows


def _component_values(measurement: Measurement, energy_j: Mapping[str, float], duration_s: float) -> Values:
    """Return joules, watts and grams by component. `measurement` says how each was measured, and the grams."""
    values: Values = {}
    g_per_j = _g_per_j(measurement)
    estimated = {reading.component for reading in measurement.readings if reading.kind == "model"}
    for component, component_j in energy_j.items():
        ending = "_estimated" if component in estimated else ""
        values[f"{component}/energy_j{ending}"] = component_j
        if duration_s > 0:
            values[f"{component}/power_w{ending}"] = component_j / duration_s
        if g_per_j is not None:
            values[f"{component}/emissions_g{ending}"] = component_j * g_per_j
    return values


def _g_per_j(measurement: Measurement) -> float | None:
    """Return the grams of a joule of IT energy in this window; None where not known."""
    energy_j, grams = measurement.energy.value, measurement.emissions.value
    return grams / energy_j if energy_j and grams is not None else None


def _add(values: Values, name: str, value: float | None, amount: Amount) -> None:
    if value is not None:
        at_least = "_at_least" if amount.lower_bound else ""
        estimated = "_estimated" if amount.kind == "model" else ""
        values[f"{name}{at_least}{estimated}"] = value


def _wall_time_s(mark_s: float) -> float:
    """Return when CLOCK_MONOTONIC was `mark_s`, seconds since the epoch."""
    return time.time() - (monotonic_s() - mark_s)


def tags(name: str, measurements: Sequence[Measurement]) -> dict[str, str]:
    """Return what is to be known of the numbers of a meter: where they come from, and what may mislead."""
    last = measurements[-1]
    notices = dict.fromkeys(notice for measurement in measurements for notice in measurement.notices)
    found = {
        "energy_kind": last.energy.kind,
        "source": last.source,
        "scope": last.scope,
        "intensity_g_per_kwh": last.intensity.get("g_per_kwh"),
        "intensity_source": last.intensity.get("source"),
        "reason": last.energy.reason,
        "notices": " ".join(notices) or None,
    }
    return {f"joulemark.{name}.{key}": str(value) for key, value in found.items() if value is not None}
