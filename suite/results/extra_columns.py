"""Columns that only some runs have: the grid of each case's own hours, and embodied emissions. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from joulemark.suite.energy.attribution import energy_sum
from joulemark.suite.energy.totals import g_per_kwh
from joulemark.suite.records import Case, Quantity, RunFile
from joulemark.suite.results.columns import ColumnSpec
from joulemark.suite.results.sci import Sci, sci

NOT_KNOWN: Final = Quantity(value=None, unit="g", n=0, reason="embodied emissions are not known")


def extra_sources(run_file: RunFile) -> tuple[ColumnSpec, ...]:
    """The columns that `run_file` has beyond the usual ones."""
    found: list[ColumnSpec] = []
    if run_file.emissions.intervals:
        found.append(
            ColumnSpec(
                "actual_g_per_1000_items",
                "CO₂e, own hours",
                "g",
                "The same energy at the intensity of the hours that the case ran in. It depends on luck with the "
                "order, so that nothing is ranked by it.",
                None,
                _actual(run_file),
            )
        )
    if run_file.emissions.embodied is not None:
        found.append(
            ColumnSpec(
                "embodied_g_per_1000_items",
                "Embodied CO₂e per 1,000 items",
                "g",
                "The share in making the hardware, by time in use over its life span: assumed, not measured.",
                "lower",
                _sci(run_file, lambda found: found.embodied),
            )
        )
        found.append(
            ColumnSpec(
                "sci_g_per_1000_items",
                "SCI per 1,000 items",
                "g",
                "Software Carbon Intensity (ISO/IEC 21031): operational and embodied emissions together.",
                "lower",
                _sci(run_file, lambda found: found.score),
            )
        )
    return tuple(found)


def _sci(run_file: RunFile, choose: Callable[[Sci], Quantity]) -> Callable[[Case], Quantity]:
    def quantity(case: Case) -> Quantity:
        found = sci(case, run_file.emissions)
        return choose(found) if found is not None else NOT_KNOWN

    return quantity


def _actual(run_file: RunFile) -> Callable[[Case], Quantity]:
    def quantity(case: Case) -> Quantity:
        assert case.summary is not None
        reference = run_file.emissions.intensity.g_per_kwh
        grams = case.summary.emissions_g_per_1000_items
        parts = [
            (energy_sum(trial.energy).energy_j or 0.0, trial.window_s)
            for trial in case.trials
            if trial.status == "ok" and trial.window_s is not None and trial.window_length_s > 0
        ]
        total_j = sum(energy_j for energy_j, _ in parts)
        if grams.value is None or total_j <= 0 or reference <= 0:
            return grams
        own = sum(energy_j * g_per_kwh(run_file.emissions, run_file, window) for energy_j, window in parts) / total_j
        return grams.model_copy(
            update={
                name: None if value is None else value * own / reference
                for name, value in (("value", grams.value), ("low", grams.low), ("high", grams.high))
            }
        )

    return quantity
