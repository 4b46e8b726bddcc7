"""Columns of the table that only some runs have: the grid of each case's own hours, and embodied emissions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Final

from joulemark.suite.energy.attribution import energy_sum
from joulemark.suite.energy.totals import mean_g_per_kwh
from joulemark.suite.records import Case, Emissions, Quantity, RunFile
from joulemark.suite.results.columns import ColumnSpec
from joulemark.suite.results.sci import Sci, sci

_UNKNOWN: Final = Quantity(value=None, unit="g", n=0, reason="embodied emissions are not known")


def carbon_columns(run_file: RunFile) -> Iterator[ColumnSpec]:
    """Yield the columns that `run_file` has beside the usual ones."""
    emissions = run_file.emissions
    if emissions.intervals:
        yield ColumnSpec(
            "actual_g_per_1000_items",
            "CO₂e, own hours",
            "g",
            "The same energy at the intensity of the hours in which the case ran. It depends on the random order of "
            "trials, so nothing is ranked by it.",
            None,
            _of_own_hours(run_file),
        )
    if emissions.embodied is not None:
        yield ColumnSpec(
            "embodied_g_per_1000_items",
            "Embodied CO₂e per 1,000 items",
            "g",
            "The share of making the hardware, by time in use over its life span: assumed, not measured.",
            "lower",
            _of_sci(emissions, attrgetter("embodied")),
        )
        yield ColumnSpec(
            "sci_g_per_1000_items",
            "SCI per 1,000 items",
            "g",
            "Software Carbon Intensity (ISO/IEC 21031): operational plus embodied emissions.",
            "lower",
            _of_sci(emissions, attrgetter("score")),
        )


def _of_sci(emissions: Emissions, part: Callable[[Sci], Quantity]) -> Callable[[Case], Quantity]:
    def quantity(case: Case) -> Quantity:
        score = sci(case, emissions)
        return part(score) if score is not None else _UNKNOWN

    return quantity


def _of_own_hours(run_file: RunFile) -> Callable[[Case], Quantity]:
    """Scale emissions by the mean intensity over the case's windows, weighted by energy."""

    def quantity(case: Case) -> Quantity:
        assert case.summary is not None
        grid, reference = run_file.emissions, run_file.emissions.intensity.g_per_kwh
        grams = case.summary.emissions_g_per_1000_items
        windows = [
            (trial.window_s, energy_sum(trial.energy).energy_j or 0.0)
            for trial in case.ok_trials
            if trial.window_s is not None and trial.window_length_s > 0
        ]
        total_j = sum(energy_j for _, energy_j in windows)
        if grams.value is None or total_j <= 0 or reference <= 0:
            return grams
        mean = sum(energy_j * mean_g_per_kwh(grid, run_file, window) for window, energy_j in windows) / total_j
        values = {"value": grams.value, "low": grams.low, "high": grams.high}
        return grams.model_copy(
            update={name: None if value is None else value * mean / reference for name, value in values.items()}
        )

    return quantity
