"""What the page needs to recompute emissions by itself, offline: energies, the runs' own inputs, and all countries.

The page's arithmetic (assets/whatif.js) is that of `suite.carbon.accounting`; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joulemark.reports.markers import INTENSITY_SUFFIXES
from joulemark.suite import units
from joulemark.suite.carbon.accounting import factors
from joulemark.suite.results.intensity_kind import INTENSITY_KINDS

if TYPE_CHECKING:
    from joulemark.reports.model.cases import CaseView
    from joulemark.reports.model.report import Report
    from joulemark.reports.model.runs import RunView
    from joulemark.suite.records import Intensity

ENERGY, EMISSIONS = "energy_per_item_j", "emissions_g_per_1000_items"

INTENSITY_COLUMNS = (EMISSIONS, "sci_g_per_1000_items")
"""Columns that depend on one carbon intensity, whose kind is marked beside their values."""


def whatif_data(report: Report) -> dict[str, Any]:
    """Return plain data: `cases` with their cells in the order of `columns`, `runs` with their inputs, `zones`.

    A cell is [value, low, high, n, kind, mark], and for an estimate also its error range as two factors.
    """
    return {
        "columns": [{"key": column.key} for column in report.table.columns],
        "cases": {view.key: _case(view) for view in report.cases},
        "runs": {run.label: _run(run) for run in report.runs},
        "intensity_kinds": {
            kind.key: [kind.mark, kind.label, INTENSITY_SUFFIXES[kind.key]] for kind in INTENSITY_KINDS.values()
        },
        "zones": [[zone.code, zone.name, zone.year, zone.g_per_kwh] for zone in report.zones],
    }


@dataclass(frozen=True)
class Formula:
    """The emissions of one case worked out, in five significant digits; an estimate in three."""

    key: str
    name: str
    item: str
    energy: str
    pue: str
    intensity: str
    source: str
    emissions: str


def formulas(report: Report) -> tuple[Formula, ...]:
    """Return the formulas of the cases that the page opens with."""
    opening = next((group for group in report.tile_groups if group.key == report.default_tiles), None)
    worked_out = []
    for view in opening.cases if opening else ():
        energy_j, emissions_g = view.quantity(ENERGY).value, view.quantity(EMISSIONS).value
        if energy_j is not None and emissions_g is not None:
            used = report.file(view).emissions
            worked_out.append(
                Formula(
                    key=view.key,
                    name=f"{view.title}, {view.name}",
                    item=view.case.item,
                    energy=_marked(view, ENERGY, energy_j),
                    pue=f"{used.pue.value:.5g}",
                    intensity=f"{used.intensity.g_per_kwh:.5g}",
                    source=_source(used.intensity),
                    emissions=_marked(view, EMISSIONS, emissions_g),
                )
            )
    return tuple(worked_out)


def _source(intensity: Intensity) -> str:
    return intensity.zone or intensity.source


def _marked(view: CaseView, column: str, value: float) -> str:
    cell = view.row.cells[column]
    return f"{cell.mark}{value:.{3 if cell.kind == 'model' else 5}g}"


def _case(view: CaseView) -> dict[str, Any]:
    case = view.case
    return {
        "run": view.run,
        "id": case.id,
        "item": case.item,
        "name": view.name,
        "full_name": view.full_name,
        "status": case.status,
        "reason": case.reason,
        "cells": [
            [
                *map(_rounded, (cell.value, cell.low, cell.high)),
                *(cell.n, cell.kind, cell.mark),
                *([cell.error_range] if cell.error_range else []),
            ]
            for cell in view.row.cells.values()
        ],
    }


def _rounded(value: float | None) -> float | None:
    """Return 12 significant digits, a thousand times finer than the page's numbers are tested to."""
    return None if value is None else float(f"{value:.12g}")


def _run(run: RunView) -> dict[str, Any]:
    used, total = run.file.emissions, run.totals.run
    return {
        "id": run.file.run.id,
        "intensity": used.intensity.g_per_kwh,
        "zone": used.intensity.zone,
        "source": _source(used.intensity),
        "intensity_kind": run.intensity_kind.key,
        "pue": used.pue.value,
        "psf": used.psf,
        "ranges": {
            "intensity": factors(used.intensity.g_per_kwh, used.intensity.low, used.intensity.high),
            "pue": factors(used.pue.value, used.pue.low, used.pue.high),
        },
        "total": None if total.energy_j is None else [total.energy_j, total.emissions_g],
        "total_flags": {
            "lower_bound": total.lower_bound,
            "estimated": total.kind == "model",
            "duration": units.duration(total.duration_s),
        },
    }
