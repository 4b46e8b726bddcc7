"""The rows of a run: the summary of each case as one flat row, for queries over many runs. Pure.

A run without cases has one row with `case_id` null, so that every kept run has rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from joulemark.suite.energy.attribution import is_simulated
from joulemark.suite.records import Case, FrameworkInfo, Quantity, RunFile
from joulemark.suite.results.columns import COLUMN_SPECS

Row = dict[str, Any]

QUANTITIES: Final = tuple(spec for spec in COLUMN_SPECS if spec.key not in {"variation", "trials"})
"""The columns of the table that become `<key>`, `<key>_low`, `<key>_high` and `<key>_n`."""

_FIELDS: Final[Mapping[str, str]] = MappingProxyType({"": "value", "_low": "low", "_high": "high", "_n": "n"})
"""The field of a quantity by the ending of its column."""

_RUN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "run_id": "run.id",
        "started_at": "run.started_at",  # UTC
        "profile": "run.profile",
        "complete": "run.complete",
        "suite_version": "run.suite_version",
        "fingerprint": "machine.fingerprint",
        "hostname": "machine.hostname",
        "os": "machine.os",
        "cpu_model": "machine.cpu.model",
        "usable_cores": "machine.cpu.usable_cores",
        "g_per_kwh": "emissions.intensity.g_per_kwh",
        "intensity_source": "emissions.intensity.source",
        "zone": "emissions.intensity.zone",
        "pue": "emissions.pue.value",
    }
)
"""Columns that are equal in all rows of a run, and where their values are in the run file."""

_CASE: Final = (
    "case_id", "workload", "variant", "workload_version", "size", "phase", "framework", "mode", "device", "precision",
    "batch_size", "threads", "allocator", "arm", "item", "status", "reason_code", "notices", "framework_version",
    "framework_build", "python_version", "board", "driver", "trials_ok", "trials_lost", "energy_kind",
    "energy_lower_bound",
)  # fmt: skip

_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "started_at": "TIMESTAMP",
        **dict.fromkeys(("complete", "energy_lower_bound"), "BOOLEAN"),
        **dict.fromkeys(("usable_cores", "g_per_kwh", "pue"), "DOUBLE"),
        **dict.fromkeys(("batch_size", "threads", "trials_ok", "trials_lost"), "INTEGER"),
    }
)
"""DuckDB's types of the columns of runs and cases that are not text."""

COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {name: _TYPES.get(name, "VARCHAR") for name in (*_RUN, *_CASE)}
    | {spec.key + end: "INTEGER" if end == "_n" else "DOUBLE" for spec in QUANTITIES for end in _FIELDS}
)
"""All columns of a row in order, with DuckDB's types."""

SIMULATED: Final = "simulated"
"""The `energy_kind` of a simulated sensor's energy, whatever the sensor would be."""

_UNKNOWN: Final = Quantity(value=None, unit="", n=0)


def rows(run_file: RunFile) -> list[Row]:
    """Return the rows of `run_file`; values that were not measured are null."""
    run: Row = dict.fromkeys(COLUMNS) | {name: attrgetter(place)(run_file) for name, place in _RUN.items()}
    run["started_at"] = utc(run_file.run.started_at)
    return [run | _case_columns(run_file, case) for case in run_file.cases] or [run]


def utc(text: str) -> datetime:
    """Return an ISO 8601 time as UTC without a time zone, as DuckDB stores it."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _case_columns(run_file: RunFile, case: Case) -> Row:
    framework = run_file.machine.frameworks.get(case.framework, FrameworkInfo(version="", python="", build=""))
    gpus = [gpu for gpu in run_file.machine.gpus if gpu.device in case.charged_devices.split("+")]
    ok = len(case.ok_trials)
    energy = case.summary.energy_per_item_j if case.summary else _UNKNOWN
    quantities = {spec.key: spec.quantity(case) if case.summary else _UNKNOWN for spec in QUANTITIES}
    return {
        **{name: getattr(case, name) for name in _CASE if name in Case.model_fields},
        "case_id": case.id,
        "notices": " ".join(dict.fromkeys(notice.code.value for notice in case.notices)),
        "framework_version": framework.version or None,
        "framework_build": framework.build or None,
        "python_version": framework.python or None,
        "board": _joined(gpu.name for gpu in gpus),
        "driver": _joined(gpu.driver for gpu in gpus),
        "trials_ok": ok,
        "trials_lost": len(case.trials) - ok,
        "energy_kind": SIMULATED if is_simulated(case) else energy.kind,
        "energy_lower_bound": energy.lower_bound,
        **{
            key + end: getattr(quantity, field)
            for key, quantity in quantities.items()
            for end, field in _FIELDS.items()
        },
    }


def _joined(names: Iterable[str | None]) -> str | None:
    return ", ".join(dict.fromkeys(name for name in names if name)) or None
