"""A run for experiment trackers: its summary as one row a case, its parameters, and what is to be known of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from joulemark.suite.records import RunFile
from joulemark.suite.results.table import AT_LEAST, ESTIMATED, Cell, table
from joulemark.suite.trackers.base import Row, metric_name

PREFIX = "joulemark"


def rows(run_file: RunFile) -> list[Row]:
    """Return one row a case that has numbers: the columns of the table, with the ends of their intervals.

    The names are those of the CSV, and say where a number is an estimate or a lower bound.
    """
    time_s = datetime.fromisoformat(run_file.run.finished_at or run_file.run.started_at).timestamp()
    found = []
    for row in table(run_file).rows:
        values = {name: value for key, cell in row.cells.items() for name, value in _numbers(key, cell)}
        if row.status == "ok" and values:
            found.append(Row(f"{PREFIX}/{metric_name(row.case.id)}", values, time_s))
    return found


def _numbers(key: str, cell: Cell) -> Iterator[tuple[str, float]]:
    ending = ("_at_least" if AT_LEAST in cell.mark else "") + ("_estimated" if ESTIMATED in cell.mark else "")
    for part, value in (("", cell.value), ("_low", cell.low), ("_high", cell.high)):
        if value is not None:
            yield f"{key}{part}{ending}", value


def parameters(run_file: RunFile) -> dict[str, str]:
    """Return what the run was made with: place, machine, frameworks and the axes of its cases."""
    run, machine, emissions = run_file.run, run_file.machine, run_file.emissions
    found: dict[str, object] = {
        "run": run.id,
        "profile": run.profile,
        "version": run.suite_version,
        "zone": emissions.intensity.zone,
        "pue": emissions.pue.value,
        "machine": machine.fingerprint,
        "cpu": machine.cpu.model,
        "gpus": ", ".join(gpu.name for gpu in machine.gpus) or None,
    }
    for axis in ("workload", "size", "phase", "framework", "mode", "device", "precision", "batch_size"):
        found[axis] = ", ".join(dict.fromkeys(str(getattr(case, axis)) for case in run_file.cases)) or None
    found |= {f"{name}_version": info.version for name, info in machine.frameworks.items()}
    return {f"{PREFIX}.{key}": str(value) for key, value in found.items() if value is not None}


def tags(run_file: RunFile) -> dict[str, str]:
    """Return what is to be known of the numbers: where they come from, and the cases that have none."""
    intensity = run_file.emissions.intensity
    kinds = dict.fromkeys(case.summary.energy_per_item_j.kind for case in run_file.cases if case.summary)
    notices = dict.fromkeys(notice.message for notice in run_file.notices)
    found = {
        "complete": str(run_file.run.complete).lower(),
        "energy_kind": ", ".join(kind for kind in kinds if kind),
        "intensity_g_per_kwh": str(intensity.g_per_kwh),
        "intensity_source": intensity.source,
        "notices": " ".join(notices),
        "without_numbers": "; ".join(
            f"{case.id}: {case.reason or case.status}" for case in run_file.cases if case.status != "ok"
        ),
    }
    return {f"{PREFIX}.{key}": value for key, value in found.items() if value}
