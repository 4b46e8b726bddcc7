"""CSV: one line per case, with all columns of the table."""

from __future__ import annotations

import csv
import io
from typing import Final

from joulemark.suite.records import RunFile
from joulemark.suite.results.table import AT_LEAST, Row, table
from joulemark.suite.system.text import spreadsheet_cell

CASE_FIELDS: Final = (
    "id", "workload", "variant", "workload_version", "size", "phase", "framework", "mode", "device", "precision",
    "batch_size", "threads", "allocator", "item", "status", "reason_code", "reason",
)  # fmt: skip
SUFFIXES: Final = ("", "_low", "_high", "_n", "_kind", "_lower_bound", "_reason")
"""The fields of each number. An empty field is unknown, never 0; its reason stands in `_reason`."""


def render(run_file: RunFile) -> str:
    """Return a header and one line per case, including failed and skipped ones."""
    run_table = table(run_file)
    keys = [column.key for column in run_table.columns]
    run_fields = _run_fields(run_file)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [*run_fields, "framework_version", *CASE_FIELDS, *(key + suffix for key in keys for suffix in SUFFIXES)]
    )
    for row in run_table.rows:
        framework = run_file.machine.frameworks.get(row.case.framework)
        case_fields = (getattr(row.case, name) for name in CASE_FIELDS)
        numbers = (field for key in keys for field in _number_fields(row, key))
        fields = [*run_fields.values(), framework.version if framework else None, *case_fields, *numbers]
        writer.writerow(map(spreadsheet_cell, fields))
    return text.getvalue()


def _run_fields(run_file: RunFile) -> dict[str, object]:
    """Return the fields that all lines share; each line has them, so that files of several runs can be joined."""
    run, machine, emissions = run_file.run, run_file.machine, run_file.emissions
    return {
        "run": run.id,
        "started_at": run.started_at,
        "suite_version": run.suite_version,
        "hostname": machine.hostname,
        "fingerprint": machine.fingerprint,
        "g_per_kwh": emissions.intensity.g_per_kwh,
        "intensity_source": emissions.intensity.source,
        "zone": emissions.intensity.zone,
        "pue": emissions.pue.value,
    }


def _number_fields(row: Row, key: str) -> tuple[object, ...]:
    """Return the values of `SUFFIXES` for the column `key`."""
    cell = row.cells[key]
    if cell.value is None or row.status != "ok":
        return (None, None, None, None, cell.kind, None, cell.reason or row.reason)
    return (cell.value, cell.low, cell.high, cell.n, cell.kind, AT_LEAST in cell.mark, cell.reason)
