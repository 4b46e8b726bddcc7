"""The summary of a case: throughput, energy and emissions from its trials. Pure, so it can be recomputed at any time.

Throughput and energy are read over the same window of the same trial. Each trial gives one value; the value of a case
is their geometric mean. Facility energy and emissions are the energy times constants, so they can be recomputed with
other constants without changing IT energy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j, factors
from joulemark.suite.energy.attribution import CaseEnergy, ReadingKey, case_energy
from joulemark.suite.energy.idle import IdlePower, mean_idle_power, net_energy
from joulemark.suite.records import Case, Emissions, Notice, Quantity, Ranges, RunFile, Summary, Trial
from joulemark.suite.results.validity import CARBON_CODES
from joulemark.suite.stats.intervals import geometric_mean

ONE_TRIAL: Final = "n=1, no interval"


def case_summary(case: Case, idle: Mapping[ReadingKey, IdlePower], emissions: Emissions) -> Summary | None:
    """Return the summary of `case` from its usable trials; None without any. `idle` is the run's `mean_idle_power`."""
    trials = [trial for trial in case.trials if trial.is_usable]
    if not trials:
        return None
    energy = case_energy(trials)
    gross = _energy(energy, "J", [trial.energy_j / trial.trial.items for trial in energy.trials])
    facility, grams = facility_and_emissions(gross, emissions, items=1000)
    return Summary(
        throughput=_timed(trials, "1/s", lambda trial: trial.items / trial.window_length_s),
        step_time_s=_timed(trials, "s", lambda trial: trial.window_length_s / trial.steps),
        energy_per_item_j=gross,
        net_energy_per_item_j=_net(energy, idle),
        facility_energy_per_item_j=facility,
        power_w=_energy(energy, "W", [trial.energy_j / trial.trial.window_length_s for trial in energy.trials]),
        emissions_g_per_1000_items=grams,
    )


def facility_and_emissions(energy: Quantity, emissions: Emissions, items: int = 1) -> tuple[Quantity, Quantity]:
    """Return the facility energy of an IT energy, joules, and the emissions of `items` times as much, grams."""
    pue, intensity = emissions.pue, emissions.intensity
    facility = _scaled(energy, facility_energy_j(1.0, pue.value), "J", pue=factors(pue.value, pue.low, pue.high))
    grams = _scaled(
        facility,
        items * emissions_g(1.0, intensity.g_per_kwh),
        "g",
        intensity=factors(intensity.g_per_kwh, intensity.low, intensity.high),
    )
    return facility, grams


def recompute(run_file: RunFile, emissions: Emissions, notices: Sequence[Notice] = ()) -> RunFile:
    """Return the run file as if measured with `emissions`. `notices` about these replace the file's carbon notices."""
    idle = mean_idle_power(run_file.idle)
    cases = tuple(case.model_copy(update={"summary": case_summary(case, idle, emissions)}) for case in run_file.cases)
    kept = (notice for notice in run_file.notices if notice.code not in CARBON_CODES)
    return run_file.model_copy(update={"cases": cases, "emissions": emissions, "notices": (*kept, *notices)})


def _timed(trials: Sequence[Trial], unit: str, value: Callable[[Trial], float]) -> Quantity:
    """Return the mean of a quantity that depends on time alone."""
    mean = geometric_mean([value(trial) for trial in trials])
    reason = ONE_TRIAL if mean.n == 1 else None
    return Quantity(value=mean.value, low=mean.low, high=mean.high, unit=unit, n=mean.n, reason=reason)


def _energy(energy: CaseEnergy, unit: str, values: Sequence[float]) -> Quantity:
    """Return the mean of `values`, one for each trial of `energy`; no value, with the reason, without any trial."""
    if not energy.trials:
        return _unknown(unit, "; ".join(energy.excluded))
    mean = geometric_mean(values)
    reasons = [ONE_TRIAL] if mean.n == 1 else []
    if energy.missing:
        reasons.append("not measured: " + "; ".join(energy.missing))
    if energy.excluded:
        reasons.append("trials left out: " + "; ".join(energy.excluded))
    return Quantity(
        value=mean.value,
        low=mean.low,
        high=mean.high,
        unit=unit,
        n=mean.n,
        kind=energy.kind,
        lower_bound=bool(energy.missing),
        reason="; ".join(reasons) or None,
        ranges=Ranges(sensor=energy.sensor_range, gain=energy.gain_range),
    )


def _net(energy: CaseEnergy, idle: Mapping[ReadingKey, IdlePower]) -> Quantity:
    """Return joules per item above idle; no value, with the reason, where energy or idle power is not known."""
    net = net_energy(energy, idle)
    if net.reason is not None:
        return _unknown("J", net.reason)
    values = [net_j / trial.trial.items for net_j, trial in zip(net.energy_j, energy.trials, strict=True)]
    quantity = _energy(energy, "J", values)
    return quantity.model_copy(update={"kind": net.kind, "ranges": Ranges(sensor=net.sensor_range)})


def _unknown(unit: str, reason: str) -> Quantity:
    return Quantity(value=None, unit=unit, n=0, kind="unavailable", reason=reason)


def _scaled(quantity: Quantity, factor: float, unit: str, **ranges: tuple[float, float] | None) -> Quantity:
    """Return `quantity` times a constant, with the constant's range added to its ranges."""
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
