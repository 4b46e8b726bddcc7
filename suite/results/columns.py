"""The columns of the table: what each shows, and why it matters. A column is one entry here. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from joulemark.suite.records import Case, Quantity
from joulemark.suite.stats.intervals import coefficient_of_variation, geometric_mean
from joulemark.suite.stats.metrics import Better


@dataclass(frozen=True)
class ColumnSpec:
    """A column, before an SI prefix is chosen for its unit."""

    key: str
    title: str
    unit: str
    tooltip: str
    better: Better | None
    """Which direction is better; None if neither is."""
    quantity: Callable[[Case], Quantity]
    """Return the value of a case that has a summary, in `unit`."""
    prefix_of: str = ""
    """Key of an earlier column of the same quantity, whose SI prefix this one has too; empty: one that suits it."""


def _first_call(case: Case) -> Quantity:
    """Return the mean over cold trials if anything is compiled, else over all. Cold and warm are never averaged."""
    trials = case.ok_trials
    cold = [trial for trial in trials if trial.compile_cache == "cold"]
    warm = [trial for trial in trials if trial.compile_cache == "warm"]
    values = [trial.first_call_s for trial in (cold or warm or trials) if trial.first_call_s]
    if not values:
        return Quantity(value=None, unit="s", n=0, reason="no trial recorded its first call")
    mean = geometric_mean(values)
    reason = "with a warm compile cache" if warm and not cold else None
    return Quantity(value=mean.value, low=mean.low, high=mean.high, unit="s", n=mean.n, reason=reason)


def _peak_memory(case: Case) -> Quantity:
    """Return the largest peak of all trials: of the process on the CPU, of the framework's allocator on a GPU."""
    key = "host" if case.device == "cpu" else "device"
    peaks = [peak for trial in case.ok_trials if (peak := trial.peak_memory_bytes.get(key)) is not None]
    if not peaks:
        return Quantity(value=None, unit="B", n=0, reason=f"no trial recorded the peak memory of its {key}")
    return Quantity(value=float(max(peaks)), unit="B", n=len(peaks))


def _variation(case: Case) -> Quantity:
    rates = [trial.items / trial.window_length_s for trial in case.trials if trial.is_usable]
    variation = coefficient_of_variation(rates)
    return Quantity(value=variation, unit="%", n=len(rates), reason="n=1" if variation is None else None)


def _trials(case: Case) -> Quantity:
    ok = len(case.ok_trials)
    lost = len(case.trials) - ok
    return Quantity(value=float(ok), unit="", n=ok, reason=f"{lost} lost" if lost else None)


def _from_summary(key: str, title: str, unit: str, tooltip: str, better: Better | None = "lower") -> ColumnSpec:
    """Return the column of a field of the summary."""
    return ColumnSpec(key, title, unit, tooltip, better, attrgetter(f"summary.{key}"))


COLUMN_SPECS: Final = (
    _from_summary("throughput", "Throughput", "items/s", "Items per second in steady state: how fast.", "higher"),
    _from_summary("step_time_s", "Step", "s", "Time of one step, one batch through the model: the latency."),
    _from_summary(
        "energy_per_item_j",
        "Energy per item",
        "J",
        "Gross energy of one item over the same window as throughput: CPU package and memory, and the GPU if the case "
        "uses one, idle power included. Cases are ranked by it. Of the sensors' error, the gain is common to all "
        "trials; the sampling part narrows with more of them.",
    ),
    _from_summary(
        "net_energy_per_item_j",
        "Net energy per item",
        "J",
        "Gross energy minus what the idle machine uses in the same time: what the work itself adds.",
    ),
    _from_summary(
        "facility_energy_per_item_j",
        "Facility energy per item",
        "J",
        "Gross energy x PUE: includes the data centre's cooling and power supply.",
    ),
    _from_summary(
        "emissions_g_per_1000_items",
        "CO₂e per 1,000 items",
        "g",
        "Facility energy x carbon intensity of the grid, for 1,000 items. All cases of a table share one intensity and "
        "one PUE, so it ranks them as energy does.",
    ),
    _from_summary(
        "power_w",
        "Power",
        "W",
        "Mean gross power over the window, of the same components as energy. High power is no drawback if the work is "
        "done sooner.",
        None,
    ),
    ColumnSpec(
        "first_call_s",
        "First call",
        "s",
        "The first step, with tracing and compilation, on a cold compile cache: the start-up cost of a short job.",
        "lower",
        _first_call,
    ),
    ColumnSpec(
        "peak_memory_bytes",
        "Peak memory",
        "B",
        "Largest peak of any trial: of the process on the CPU; of the framework's allocator in the window on a GPU.",
        "lower",
        _peak_memory,
    ),
    ColumnSpec(
        "variation",
        "Variation",
        "%",
        "Coefficient of variation of throughput between trials. Above 10 %, small differences mean nothing.",
        "lower",
        _variation,
    ),
    ColumnSpec(
        "trials", "Trials", "", "Trials that succeeded. Each is a fresh process, the independent unit.", None, _trials
    ),
)
