"""The columns of the table: what each shows, and why it matters. A column is one entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from joulemark.suite.records import Case, Quantity, Trial
from joulemark.suite.stats.intervals import geometric_mean
from joulemark.suite.stats.metrics import Better


@dataclass(frozen=True)
class ColumnSpec:
    """A column before the prefix of its unit is chosen."""

    key: str
    title: str
    unit: str
    tooltip: str
    better: Better | None
    quantity: Callable[[Case], Quantity]
    """Its value of a case that has a summary, in `unit`."""


def _ok(case: Case) -> list[Trial]:
    return [trial for trial in case.trials if trial.status == "ok"]


def _of_summary(name: str) -> Callable[[Case], Quantity]:
    def quantity(case: Case) -> Quantity:
        found: Quantity = getattr(case.summary, name)
        return found

    return quantity


def _first_call(case: Case) -> Quantity:
    """The first call of cold trials where something is compiled, of all otherwise: cold and warm are unlike."""
    cold = [trial for trial in _ok(case) if trial.compile_cache == "cold"]
    warm = [trial for trial in _ok(case) if trial.compile_cache == "warm"]
    values = [trial.first_call_s for trial in (cold or warm or _ok(case)) if trial.first_call_s]
    if not values:
        return Quantity(value=None, unit="s", n=0, reason="no trial recorded its first call")
    mean = geometric_mean(values)
    reason = "with a warm compile cache" if warm and not cold else None
    return Quantity(value=mean.value, low=mean.low, high=mean.high, unit="s", n=mean.n, reason=reason)


def _peak_memory(case: Case) -> Quantity:
    """The largest peak of all trials: of the framework's allocator on a GPU, of the process on the CPU."""
    key = "host" if case.device == "cpu" else "device"
    values = [trial.peak_memory_bytes.get(key) for trial in _ok(case)]
    known = [value for value in values if value is not None]
    if not known:
        return Quantity(value=None, unit="B", n=0, reason=f"no trial recorded the peak memory of its {key}")
    return Quantity(value=float(max(known)), unit="B", n=len(known))


def _variation(case: Case) -> Quantity:
    rates = [
        trial.items / trial.window_length_s for trial in _ok(case) if trial.window_length_s > 0 and trial.items > 0
    ]
    found = geometric_mean(rates).variation
    return Quantity(value=found, unit="%", n=len(rates), reason="n=1" if found is None else None)


def _trials(case: Case) -> Quantity:
    lost = len(case.trials) - len(_ok(case))
    return Quantity(value=float(len(_ok(case))), unit="", n=len(_ok(case)), reason=f"{lost} lost" if lost else None)


COLUMN_SPECS: Final = (
    ColumnSpec(
        "throughput",
        "Throughput",
        "items/s",
        "Items done in a second, in steady state. How fast.",
        "higher",
        _of_summary("throughput"),
    ),
    ColumnSpec(
        "step_time_s",
        "Step",
        "s",
        "Time of one step: one batch through the model. What a person waits for.",
        "lower",
        _of_summary("step_time_s"),
    ),
    ColumnSpec(
        "energy_per_item_j",
        "Energy per item",
        "J",
        "Gross energy of the attributed parts (CPU package and memory, and the board on a GPU) for one item, over "
        "the same window as throughput, idle power included. Ranking is by this one.",
        "lower",
        _of_summary("energy_per_item_j"),
    ),
    ColumnSpec(
        "net_energy_per_item_j",
        "Net energy per item",
        "J",
        "Gross energy less what the machine draws at rest in the same time: what the work itself added.",
        "lower",
        _of_summary("net_energy_per_item_j"),
    ),
    ColumnSpec(
        "facility_energy_per_item_j",
        "Facility energy per item",
        "J",
        "Gross energy x PUE: with the data centre's cooling and power supply.",
        "lower",
        _of_summary("facility_energy_per_item_j"),
    ),
    ColumnSpec(
        "emissions_g_per_1000_items",
        "CO₂e per 1,000 items",
        "g",
        "Facility energy x carbon intensity of the grid, for 1,000 items. All cases of a table use one intensity "
        "and one PUE, so it ranks as energy does.",
        "lower",
        _of_summary("emissions_g_per_1000_items"),
    ),
    ColumnSpec(
        "power_w",
        "Power",
        "W",
        "Mean gross power of the attributed parts over the window. "
        "High power is no fault where the work is done sooner.",
        None,
        _of_summary("power_w"),
    ),
    ColumnSpec(
        "first_call_s",
        "First call",
        "s",
        "The first step, with tracing and compilation, on a cold compile cache. What a short job pays.",
        "lower",
        _first_call,
    ),
    ColumnSpec(
        "peak_memory_bytes",
        "Peak memory",
        "B",
        "Largest peak of any trial: the process on the CPU; on a GPU the framework's allocator in the window.",
        "lower",
        _peak_memory,
    ),
    ColumnSpec(
        "variation",
        "Variation",
        "%",
        "Coefficient of variation of throughput between trials. Above 10 % small differences mean nothing.",
        "lower",
        _variation,
    ),
    ColumnSpec("trials", "Trials", "", "Trials that counted: fresh processes, the independent unit.", None, _trials),
)
