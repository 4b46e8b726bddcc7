"""What the trials of a case add up to. Pure, and the same at the end of a run as years later.

Throughput and energy are read over the same window of the same trial. Each trial gives one value; a case's value is
their geometric mean. Facility energy and emissions are the energy times constants, so they can be recomputed with
other constants at any time, and IT energy never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j, factors
from joulemark.suite.energy.attribution import (
    AttributedEnergy,
    CaseEnergy,
    charges,
    mean_idle_power,
    net_range,
    weakest,
    window_length_s,
)
from joulemark.suite.records import Case, Emissions, Idle, Notice, Quantity, Ranges, RunFile, Summary, Trial
from joulemark.suite.results.validity import CARBON_CODES, case_notices
from joulemark.suite.stats.intervals import geometric_mean

__all__ = ["ONE_TRIAL", "case_notices", "case_summary", "recompute"]

ROUNDING: Final = 1e-6
"""Share of idle energy below which a difference from it is what sums of floating-point numbers leave over: a model at
its upper limit gives the same power at rest and at work."""

ONE_TRIAL: Final = "n=1, no interval"


def case_summary(case: Case, idle: Sequence[Idle], emissions: Emissions) -> Summary | None:
    """The summary of `case` from its ok trials; None where there is none.

    `idle` holds the run's windows at rest; `emissions` the PUE and the intensity to compute grams with.
    """
    trials = [trial for trial in case.trials if _usable(trial)]
    if not trials:
        return None
    found = charges(trials)
    gross = _energy(found, "J", lambda charge: charge.energy_j / charge.trial.items)
    pue, intensity = emissions.pue, emissions.intensity
    facility = _scaled(gross, facility_energy_j(1.0, pue.value), "J", pue=factors(pue.value, pue.low, pue.high))
    return Summary(
        throughput=_timed(trials, "1/s", lambda trial: trial.items / window_length_s(trial)),
        step_time_s=_timed(trials, "s", lambda trial: window_length_s(trial) / trial.steps),
        energy_per_item_j=gross,
        net_energy_per_item_j=_net(found, idle),
        facility_energy_per_item_j=facility,
        power_w=_energy(found, "W", lambda charge: charge.energy_j / window_length_s(charge.trial)),
        emissions_g_per_1000_items=_scaled(
            facility,
            1000 * emissions_g(1.0, intensity.g_per_kwh),
            "g",
            intensity=factors(intensity.g_per_kwh, intensity.low, intensity.high),
        ),
    )


def recompute(run_file: RunFile, emissions: Emissions, notices: Sequence[Notice] = ()) -> RunFile:
    """The run file as if it had been measured with `emissions`; no measured number changes by a bit.

    `notices` are those that belong to `emissions` (from the chain of sources); they replace the file's own.
    """
    cases = tuple(
        case.model_copy(update={"summary": case_summary(case, run_file.idle, emissions)}) for case in run_file.cases
    )
    kept = (notice for notice in run_file.notices if notice.code not in CARBON_CODES)
    return run_file.model_copy(update={"cases": cases, "emissions": emissions, "notices": (*kept, *notices)})


def _usable(trial: Trial) -> bool:
    return trial.status == "ok" and window_length_s(trial) > 0 and trial.items > 0 and trial.steps > 0


def _timed(trials: Sequence[Trial], unit: str, value: Callable[[Trial], float]) -> Quantity:
    """A quantity that rests on the clock alone."""
    mean = geometric_mean([value(trial) for trial in trials])
    reason = ONE_TRIAL if mean.n == 1 else None
    return Quantity(value=mean.value, low=mean.low, high=mean.high, unit=unit, n=mean.n, reason=reason)


def _energy(found: CaseEnergy, unit: str, value: Callable[[AttributedEnergy], float]) -> Quantity:
    """A quantity with the attributed energy in it; None with the reason where no trial has any."""
    if not found.charged:
        return _unknown(unit, "; ".join(found.left_out))
    mean = geometric_mean([value(charge) for charge in found.charged])
    reasons = [ONE_TRIAL] if mean.n == 1 else []
    if found.missing:
        reasons.append("not measured: " + "; ".join(found.missing))
    if found.left_out:
        reasons.append("trials left out: " + "; ".join(found.left_out))
    return Quantity(
        value=mean.value,
        low=mean.low,
        high=mean.high,
        unit=unit,
        n=mean.n,
        kind=found.kind,
        lower_bound=bool(found.missing),
        reason="; ".join(reasons) or None,
        ranges=Ranges(sensor=found.sensor_range),
    )


def _net(found: CaseEnergy, idle: Sequence[Idle]) -> Quantity:
    """Gross less idle power x time."""
    if not found.charged:
        return _unknown("J", "; ".join(found.left_out))
    rest = mean_idle_power(idle)
    parts = found.charged[0].parts
    absent = sorted({component for sensor, component, scope in parts if (sensor, component, scope) not in rest})
    if absent:
        return _unknown("J", f"idle power of {', '.join(absent)} is not known")
    rest_w = sum(rest[name].power_w for name in parts)
    below = sum(charge.energy_j <= rest_w * window_length_s(charge.trial) * (1 + ROUNDING) for charge in found.charged)
    if below:
        return _unknown(
            "J", f"gross power is not above idle ({rest_w:.3g} W) in {below} of {len(found.charged)} trials"
        )
    net = _energy(
        found,
        "J",
        lambda charge: (charge.energy_j - rest_w * window_length_s(charge.trial)) / charge.trial.items,
    )
    kind = weakest([found.kind, *(rest[name].kind for name in parts)])
    return net.model_copy(update={"kind": kind, "ranges": Ranges(sensor=net_range(found, rest))})


def _unknown(unit: str, reason: str) -> Quantity:
    return Quantity(value=None, unit=unit, n=0, kind="unavailable", reason=reason)


def _scaled(quantity: Quantity, factor: float, unit: str, **ranges: tuple[float, float] | None) -> Quantity:
    """`quantity` times a constant, with that constant's range beside the ranges it has."""
    if quantity.value is None:
        return quantity.model_copy(update={"unit": unit})
    return quantity.model_copy(
        update={
            "value": quantity.value * factor,
            "low": None if quantity.low is None else quantity.low * factor,
            "high": None if quantity.high is None else quantity.high * factor,
            "unit": unit,
            "ranges": quantity.ranges.model_copy(update=ranges),
        }
    )
