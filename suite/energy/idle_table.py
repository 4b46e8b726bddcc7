"""Idle power as a table: one row before and after the run and for each program resident on a GPU. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from joulemark.suite.energy.components import channel_label, component_named
from joulemark.suite.records import Case, Channel, EnergyReading, Gpu, Kind, RunFile

When = Literal["before", "after", "resident"]


@dataclass(frozen=True)
class IdleValue:
    """Mean power of one component over one idle window."""

    power_w: float | None
    """None where not measured, with the reason."""
    kind: Kind
    reason: str | None


@dataclass(frozen=True)
class IdleRow:
    """One idle window."""

    when: When
    case: Case | None
    """The case whose context and model were on the GPU, with nothing running; None for `before` and `after`."""
    length_s: float
    values: Mapping[str, IdleValue]
    """By label of the component, of those in the table."""


@dataclass(frozen=True)
class IdleTable:
    """Idle power of one run."""

    components: tuple[str, ...]
    """Labels: `cpu`, `package-0`, `cuda:0`."""
    rows: tuple[IdleRow, ...]
    missing: Mapping[str, str]
    """Components that were never measured, with the reason; not those that are estimated instead."""
    no_resident: str | None
    """Why no row is of a resident program, on a machine that has a GPU."""

    def of(self, when: When) -> tuple[IdleRow, ...]:
        """Return the rows of one state of the machine."""
        return tuple(row for row in self.rows if row.when == when)


def idle_table(run_file: RunFile) -> IdleTable:
    """Return the table of `run_file`: only components that have a value in some row."""
    windows: list[tuple[When, Case | None, tuple[float, float], Sequence[EnergyReading]]] = [
        (entry.when, None, entry.window_s, entry.energy) for entry in run_file.idle
    ]
    windows += [
        ("resident", case, trial.resident_idle.window_s, trial.resident_idle.energy)
        for case in run_file.cases
        for trial in case.trials
        if trial.resident_idle is not None
    ]
    gpus = run_file.machine.gpus
    readings = [reading for *_, in_window in windows for reading in in_window]
    measured = [reading for reading in readings if reading.energy_j is not None]
    components = dict.fromkeys(component_label(reading, gpus) for reading in measured)
    rows = []
    for when, case, (begin_s, end_s), in_window in windows:
        values = {component_label(reading, gpus): _value(reading, end_s - begin_s) for reading in in_window}
        shown = {label: value for label, value in values.items() if label in components}
        rows.append(IdleRow(when, case, end_s - begin_s, shown))
    hardware = {component_named(reading.component).hardware for reading in measured}
    missing = {
        component_label(reading, gpus): reading.reason or "no reason given"
        for reading in readings
        if component_named(reading.component).hardware not in hardware
    }
    return IdleTable(tuple(components), tuple(rows), missing, _no_resident(rows, run_file))


def component_label(reading: EnergyReading | Channel, gpus: Sequence[Gpu]) -> str:
    """Return a short name of what `reading` was taken of; of a GPU, its device."""
    gpu = next((gpu for gpu in gpus if reading.component == "gpu" and gpu.uuid == reading.scope), None)
    if gpu is not None:
        return gpu.device or f"gpu {gpu.index}"
    return reading.component if reading.scope == "host" else channel_label(reading.component, reading.scope)


def _value(reading: EnergyReading, length_s: float) -> IdleValue:
    if reading.energy_j is not None and length_s <= 0:
        return IdleValue(None, reading.kind, reading.reason or "the window has no length")
    power_w = None if reading.energy_j is None else reading.energy_j / length_s
    return IdleValue(power_w, reading.kind, reading.reason)


def _no_resident(rows: Sequence[IdleRow], run_file: RunFile) -> str | None:
    """Return why no trial recorded power with a program resident; None where one did, or there is no GPU."""
    if not run_file.machine.gpus or any(row.when == "resident" for row in rows):
        return None
    if any(case.device != "cpu" for case in run_file.cases):
        return "no trial on a GPU recorded it"
    return "cases on the CPU leave no context and no model on a GPU"
