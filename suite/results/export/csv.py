"""CSV, one line a case, all columns of the one table: value, interval, trials, kind and reason each."""

from __future__ import annotations

import csv
import io

from joulemark.suite.records import RunFile
from joulemark.suite.results.table import AT_LEAST, Cell, Row, table

CASE = (
    "id", "workload", "variant", "workload_version", "size", "phase", "framework", "mode", "device", "precision",
    "batch_size", "threads", "allocator", "item", "status", "reason_code", "reason",
)  # fmt: skip
PARTS = ("", "_low", "_high", "_n", "_kind", "_lower_bound", "_reason")
"""What each number has beside it. An empty field is an unknown, never a 0; its reason stands in `_reason`."""


def render(run_file: RunFile) -> str:
    """A header and one line a case, failed and skipped ones too."""
    found = table(run_file)
    keys = [column.key for column in found.columns]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_run(run_file), "framework_version", *CASE, *(key + part for key in keys for part in PARTS)])
    for row in found.rows:
        info = run_file.machine.frameworks.get(row.case.framework)
        own = [info.version if info else None, *(getattr(row.case, name) for name in CASE)]
        numbers = (field for key in keys for field in _fields(row, row.cells[key]))
        writer.writerow([*_run(run_file).values(), *own, *numbers])
    return text.getvalue()


def _run(run_file: RunFile) -> dict[str, object]:
    """What all lines share; it stands in each, so that files of several runs can be put together."""
    run, machine, used = run_file.run, run_file.machine, run_file.emissions
    return {
        "run": run.id,
        "started_at": run.started_at,
        "suite_version": run.suite_version,
        "hostname": machine.hostname,
        "fingerprint": machine.fingerprint,
        "g_per_kwh": used.intensity.g_per_kwh,
        "intensity_source": used.intensity.source,
        "zone": used.intensity.zone,
        "pue": used.pue.value,
    }


def _fields(row: Row, cell: Cell) -> tuple[object, ...]:
    if cell.value is None or row.status != "ok":
        return (None, None, None, None, cell.kind, None, cell.reason or row.reason)
    return (cell.value, cell.low, cell.high, cell.n, cell.kind, AT_LEAST in cell.mark, cell.reason)
