"""The rows of a run: the summary of each case as one flat row, for queries over many runs. Pure.

A run without cases has one row with `case_id` null, so that every kept run has rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from joulemark.suite.records import Case, FrameworkInfo, Quantity, RunFile
from joulemark.suite.results.columns import COLUMN_SPECS

Row = dict[str, Any]

QUANTITIES: Final = tuple(spec for spec in COLUMN_SPECS if spec.key not in {"variation", "trials"})
"""The columns of the table that become `<key>`, `<key>_low`, `<key>_high` and `<key>_n`."""

RUN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "run_id": "VARCHAR",
        "started_at": "TIMESTAMP",  # UTC
        "profile": "VARCHAR",
        "complete": "BOOLEAN",
        "suite_version": "VARCHAR",
        "fingerprint": "VARCHAR",
        "hostname": "VARCHAR",
        "os": "VARCHAR",
        "cpu_model": "VARCHAR",
        "usable_cores": "DOUBLE",
        "g_per_kwh": "DOUBLE",
        "intensity_source": "VARCHAR",
        "zone": "VARCHAR",
        "pue": "DOUBLE",
    }
)
"""Columns that are equal in all rows of a run, with DuckDB's types."""

CASE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "case_id": "VARCHAR",
        "workload": "VARCHAR",
        "variant": "VARCHAR",
        "workload_version": "VARCHAR",
        "size": "VARCHAR",
        "phase": "VARCHAR",
        "framework": "VARCHAR",
        "mode": "VARCHAR",
        "device": "VARCHAR",
        "precision": "VARCHAR",
        "batch_size": "INTEGER",
        "threads": "INTEGER",
        "allocator": "VARCHAR",
        "arm": "VARCHAR",
        "item": "VARCHAR",
        "status": "VARCHAR",
        "reason_code": "VARCHAR",
        "notices": "VARCHAR",  # codes, separated by spaces
        "framework_version": "VARCHAR",
        "framework_build": "VARCHAR",
        "python_version": "VARCHAR",
        "board": "VARCHAR",
        "driver": "VARCHAR",
        "trials_ok": "INTEGER",
        "trials_lost": "INTEGER",
        "energy_kind": "VARCHAR",
        "energy_lower_bound": "BOOLEAN",
    }
)

COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **RUN,
        **CASE,
        **{
            column: kind
            for spec in QUANTITIES
            for column, kind in (
                (spec.key, "DOUBLE"),
                (f"{spec.key}_low", "DOUBLE"),
                (f"{spec.key}_high", "DOUBLE"),
                (f"{spec.key}_n", "INTEGER"),
            )
        },
    }
)
"""All columns of a row in order, with DuckDB's types."""

_UNKNOWN: Final = Quantity(value=None, unit="", n=0)


def rows(run_file: RunFile) -> list[Row]:
    """Return the rows of `run_file`; values that were not measured are null."""
    run = _run_columns(run_file)
    empty: Row = dict.fromkeys(COLUMNS)
    return [{**empty, **run, **_case_columns(run_file, case)} for case in run_file.cases] or [{**empty, **run}]


def utc(text: str) -> datetime:
    """Return an ISO 8601 time as UTC without a time zone, as DuckDB stores it."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _run_columns(run_file: RunFile) -> Row:
    run, machine, emissions = run_file.run, run_file.machine, run_file.emissions
    return {
        "run_id": run.id,
        "started_at": utc(run.started_at),
        "profile": run.profile,
        "complete": run.complete,
        "suite_version": run.suite_version,
        "fingerprint": machine.fingerprint,
        "hostname": machine.hostname,
        "os": machine.os,
        "cpu_model": machine.cpu.model,
        "usable_cores": machine.cpu.usable_cores,
        "g_per_kwh": emissions.intensity.g_per_kwh,
        "intensity_source": emissions.intensity.source,
        "zone": emissions.intensity.zone,
        "pue": emissions.pue.value,
    }


def _case_columns(run_file: RunFile, case: Case) -> Row:
    framework = run_file.machine.frameworks.get(case.framework, FrameworkInfo(version="", python="", build=""))
    gpus = [gpu for gpu in run_file.machine.gpus if gpu.device in case.device.split("+")]
    ok = len(case.ok_trials)
    energy = case.summary.energy_per_item_j if case.summary else _UNKNOWN
    return {
        **{name: getattr(case, name) for name in CASE if name in Case.model_fields},
        "case_id": case.id,
        "notices": " ".join(dict.fromkeys(notice.code.value for notice in case.notices)),
        "framework_version": framework.version or None,
        "framework_build": framework.build or None,
        "python_version": framework.python or None,
        "board": _joined(gpu.name for gpu in gpus),
        "driver": _joined(gpu.driver for gpu in gpus),
        "trials_ok": ok,
        "trials_lost": len(case.trials) - ok,
        "energy_kind": energy.kind,
        "energy_lower_bound": energy.lower_bound,
        **_quantity_columns(case),
    }


def _joined(names: Iterable[str | None]) -> str | None:
    """Return each name once, or None without any."""
    return ", ".join(dict.fromkeys(name for name in names if name)) or None


def _quantity_columns(case: Case) -> Row:
    columns: Row = {}
    for spec in QUANTITIES:
        quantity = spec.quantity(case) if case.summary else _UNKNOWN
        columns |= {
            spec.key: quantity.value,
            f"{spec.key}_low": quantity.low,
            f"{spec.key}_high": quantity.high,
            f"{spec.key}_n": quantity.n,
        }
    return columns
