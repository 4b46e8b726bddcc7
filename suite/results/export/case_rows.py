"""A run as rows: one a case with its summary, or one a trial. What the CSV and data frames have in common. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from joulemark.suite.energy.attribution import energy_sum
from joulemark.suite.records import Case, RunFile, Trial
from joulemark.suite.results.table import AT_LEAST, Cell, Column, table

Kind = Literal["text", "time", "number", "integer", "boolean"]
Values = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """A column."""

    kind: Kind = "text"
    unit: str = ""
    """Empty for what has none; `1` for a share or a count."""


Fields = dict[str, Field]

TEXT: Final = Field()
_SECONDS, _JOULES, _COUNT = Field("number", "s"), Field("number", "J"), Field("integer", "1")

RUN_FIELDS: Final[Fields] = {
    "run": TEXT,
    "started_at": Field("time"),
    "suite_version": TEXT,
    "hostname": TEXT,
    "fingerprint": TEXT,
    "g_per_kwh": Field("number", "g/kWh"),
    "intensity_source": TEXT,
    "zone": TEXT,
    "pue": Field("number", "1"),
}
"""What all rows of a run share; each row has them, so that rows of several runs can be joined."""

CASE_FIELDS: Final = (
    "id", "workload", "variant", "workload_version", "size", "phase", "framework", "mode", "device", "precision",
    "batch_size", "threads", "allocator", "item", "status", "reason_code", "reason",
)  # fmt: skip
_NUMBERS: Final = {"batch_size": _COUNT, "threads": _COUNT}

SUFFIXES: Final = ("", "_low", "_high", "_n", "_kind", "_lower_bound", "_reason")
"""The fields of each number. An empty field is unknown, never 0; its reason stands in `_reason`."""

AXES: Final = (*CASE_FIELDS[:3], *CASE_FIELDS[4:11])
"""What a trial's row says of its case."""

TRIAL_FIELDS: Final[Fields] = {
    "round": _COUNT,
    **dict.fromkeys(("status", "reason_code", "reason", "isolation", "compile_cache", "steady"), TEXT),
    **dict.fromkeys(("load_s", "first_call_s", "window_begin_s", "window_end_s", "duration_s"), _SECONDS),
    **dict.fromkeys(("warmup_steps", "steps", "items"), _COUNT),
    "throughput": Field("number", "items/s"),
    "step_time_s": _SECONDS,
    **dict.fromkeys(("energy_j", "energy_low_j", "energy_high_j", "energy_per_item_j"), _JOULES),
    "energy_kind": TEXT,
    "energy_lower_bound": Field("boolean"),
    "energy_reason": TEXT,
    "power_w": Field("number", "W"),
    "peak_host_memory_bytes": Field("integer", "B"),
    "peak_device_memory_bytes": Field("integer", "B"),
}
"""Columns of a trial; after them, `COMPONENT_energy_j` for each component of the run."""


def case_fields(run_file: RunFile) -> Fields:
    """Return the columns of a run's cases."""
    of_case = {name: _NUMBERS.get(name, TEXT) for name in CASE_FIELDS}
    of_table = {
        column.key + suffix: field
        for column in table(run_file).columns
        for suffix, field in zip(SUFFIXES, _number_fields(column), strict=True)
    }
    return {**RUN_FIELDS, "framework_version": TEXT, **of_case, **of_table}


def case_rows(run_file: RunFile) -> Iterator[Values]:
    """Yield a row for each case, also the failed and skipped ones. None is what is not known."""
    run_values = _run_values(run_file)
    for row in table(run_file).rows:
        framework = run_file.machine.frameworks.get(row.case.framework)
        numbers = {
            key + suffix: value
            for key, cell in row.cells.items()
            for suffix, value in zip(SUFFIXES, _numbers(cell, row.status == "ok", row.reason), strict=True)
        }
        of_case = {name: getattr(row.case, name) for name in CASE_FIELDS}
        yield {**run_values, "framework_version": framework.version if framework else None, **of_case, **numbers}


def _number_fields(column: Column) -> tuple[Field, ...]:
    """Return the columns of `SUFFIXES`."""
    unit = column.raw_unit if column.raw_unit not in ("", "%") else "1"  # a share is kept as one
    number = Field("number", unit)
    return (number, number, number, _COUNT, TEXT, Field("boolean"), TEXT)


def _numbers(cell: Cell, is_ok: bool, reason: str | None) -> tuple[object, ...]:
    """Return the values of `SUFFIXES`."""
    if cell.value is None or not is_ok:
        return (None, None, None, None, cell.kind, None, cell.reason or reason)
    return (cell.value, cell.low, cell.high, cell.n, cell.kind, AT_LEAST in cell.mark, cell.reason)


def _run_values(run_file: RunFile) -> Values:
    run, machine, emissions = run_file.run, run_file.machine, run_file.emissions
    values = (
        run.id, run.started_at, run.suite_version, machine.hostname, machine.fingerprint, emissions.intensity.g_per_kwh,
        emissions.intensity.source, emissions.intensity.zone, emissions.pue.value,
    )  # fmt: skip
    return dict(zip(RUN_FIELDS, values, strict=True))


def trial_fields(run_file: RunFile) -> Fields:
    """Return the columns of a run's trials."""
    of_case = {name: _NUMBERS.get(name, TEXT) for name in AXES}
    components = {f"{name}_energy_j": _JOULES for name in _components(run_file.cases)}
    return {**RUN_FIELDS, **of_case, **TRIAL_FIELDS, **components}


def trial_rows(run_file: RunFile) -> Iterator[Values]:
    """Yield a row for each trial, also the failed ones. None is what is not known."""
    run_values = _run_values(run_file)
    for case in run_file.cases:
        of_case = {name: getattr(case, name) for name in AXES}
        for trial in case.trials:
            yield {**run_values, **of_case, **_trial_values(trial)}


def _trial_values(trial: Trial) -> Values:
    values: Values = {name: getattr(trial, name) for name in TRIAL_FIELDS if name in Trial.model_fields}
    values |= {f"peak_{place}_memory_bytes": trial.peak_memory_bytes.get(place) for place in ("host", "device")}
    if trial.window_s is not None:
        values |= dict(zip(("window_begin_s", "window_end_s"), trial.window_s, strict=True))
        values["duration_s"] = trial.window_length_s
    energy = energy_sum(trial.energy)
    values |= {
        "energy_j": energy.energy_j,
        "energy_low_j": energy.low_j,
        "energy_high_j": energy.high_j,
        "energy_kind": energy.kind,
        "energy_lower_bound": energy.lower_bound if energy.energy_j is not None else None,
        "energy_reason": energy.reason,
    }
    if trial.is_usable:
        values |= {
            "throughput": trial.items / trial.window_length_s,
            "step_time_s": trial.window_length_s / trial.steps,
        }
        if energy.energy_j is not None:
            values["energy_per_item_j"] = energy.energy_j / trial.items
            values["power_w"] = energy.energy_j / trial.window_length_s
    for reading in energy.readings:
        name = f"{reading.component}_energy_j"
        values[name] = values.get(name, 0.0) + (reading.energy_j or 0.0)
    return values


def _components(cases: Sequence[Case]) -> list[str]:
    readings = (reading for case in cases for trial in case.trials for reading in trial.energy)
    return list(dict.fromkeys(reading.component for reading in readings if reading.attributed))
