"""The rows of a run: what its summary says, one flat row a case, for whoever asks over many runs. Pure.

A run without cases has one row with `case_id` null, so that every run that is kept has rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from joulemark.suite.records import Case, FrameworkInfo, Quantity, RunFile
from joulemark.suite.results.columns import COLUMN_SPECS

Row = dict[str, Any]

QUANTITIES: Final = tuple(source for source in COLUMN_SPECS if source.key not in {"variation", "trials"})
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
"""Columns that all rows of a run share, with DuckDB's types."""

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
            for source in QUANTITIES
            for column, kind in (
                (source.key, "DOUBLE"),
                (f"{source.key}_low", "DOUBLE"),
                (f"{source.key}_high", "DOUBLE"),
                (f"{source.key}_n", "INTEGER"),
            )
        },
    }
)
"""Every column of a row, in order, with DuckDB's types."""

_NOTHING: Final = Quantity(value=None, unit="", n=0)


def rows(run_file: RunFile) -> list[Row]:
    """The rows of `run_file`; values are null where they were not measured."""
    run = _run(run_file)
    empty: Row = dict.fromkeys(COLUMNS)
    return [{**empty, **run, **_case(run_file, case)} for case in run_file.cases] or [{**empty, **run}]


def utc(text: str) -> datetime:
    """An ISO 8601 time as UTC, without its zone, as DuckDB keeps it."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _run(run_file: RunFile) -> Row:
    run, machine, used = run_file.run, run_file.machine, run_file.emissions
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
        "g_per_kwh": used.intensity.g_per_kwh,
        "intensity_source": used.intensity.source,
        "zone": used.intensity.zone,
        "pue": used.pue.value,
    }


def _case(run_file: RunFile, case: Case) -> Row:
    framework = run_file.machine.frameworks.get(case.framework, FrameworkInfo(version="", python="", build=""))
    boards = [gpu for gpu in run_file.machine.gpus if gpu.device in case.device.split("+")]
    ok = sum(trial.status == "ok" for trial in case.trials)
    energy = case.summary.energy_per_item_j if case.summary else _NOTHING
    own = {name: getattr(case, name) for name in CASE if name in Case.model_fields and name not in _MADE}
    return {
        **own,
        **{name: make(case) for name, make in _MADE.items()},
        "framework_version": framework.version or None,
        "framework_build": framework.build or None,
        "python_version": framework.python or None,
        "board": _names(board.name for board in boards),
        "driver": _names(board.driver for board in boards),
        "trials_ok": ok,
        "trials_lost": len(case.trials) - ok,
        "energy_kind": energy.kind,
        "energy_lower_bound": energy.lower_bound,
        **_quantities(case),
    }


_MADE: Final[Mapping[str, Callable[[Case], object]]] = MappingProxyType(
    {
        "case_id": lambda case: case.id,
        "notices": lambda case: " ".join(dict.fromkeys(notice.code.value for notice in case.notices)),
    }
)


def _names(names: Iterable[str | None]) -> str | None:
    """Each once; None where there is none."""
    return ", ".join(dict.fromkeys(name for name in names if name)) or None


def _quantities(case: Case) -> Row:
    found: Row = {}
    for source in QUANTITIES:
        quantity = source.quantity(case) if case.summary else _NOTHING
        found |= {
            source.key: quantity.value,
            f"{source.key}_low": quantity.low,
            f"{source.key}_high": quantity.high,
            f"{source.key}_n": quantity.n,
        }
    return found
