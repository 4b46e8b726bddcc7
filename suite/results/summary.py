"""The summary of a case: throughput, energy and emissions from its trials. Pure, so it can be recomputed at any time.

Throughput and energy are read over the same window of the same trial. Each trial gives one value; the value of a case
is their geometric mean. Facility energy and emissions are the energy times constants, so they can be recomputed with
other constants without changing IT energy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from joulemark.suite.carbon.accounting import emissions_g, facility_energy_j, factors
from joulemark.suite.energy.attribution import CaseEnergy, ReadingKey, case_energy
from joulemark.suite.energy.idle import IdlePower, mean_idle_power, net_energy
from joulemark.suite.records import Case, Emissions, Notice, Quantity, Ranges, RunFile, Summary
from joulemark.suite.results.quantities import energy_quantity, scaled, timed_quantity, unknown
from joulemark.suite.results.responses.summary import with_results
from joulemark.suite.results.validity import CARBON_CODES


def case_summary(case: Case, idle: Mapping[ReadingKey, IdlePower], emissions: Emissions) -> Summary | None:
    """Return the summary of `case` from its usable trials; None without any. `idle` is the run's `mean_idle_power`."""
    trials = [trial for trial in case.trials if trial.is_usable]
    if not trials:
        return None
    energy = case_energy(trials)
    gross = energy_quantity(energy, "J", [trial.energy_j / trial.trial.items for trial in energy.trials])
    facility, grams = facility_and_emissions(gross, emissions, items=1000)
    return Summary(
        throughput=timed_quantity(trials, "1/s", lambda trial: trial.items / trial.window_length_s),
        step_time_s=timed_quantity(trials, "s", lambda trial: trial.window_length_s / trial.steps),
        energy_per_item_j=gross,
        net_energy_per_item_j=_net(energy, idle),
        facility_energy_per_item_j=facility,
        power_w=energy_quantity(energy, "W", [trial.energy_j / trial.trial.window_length_s for trial in energy.trials]),
        emissions_g_per_1000_items=grams,
    )


def with_summary(case: Case, summary: Summary | None) -> Case:
    """Return the case with its summary and, in phase `response`, with the results of its responses."""
    return with_results(case.model_copy(update={"summary": summary}))


def facility_and_emissions(energy: Quantity, emissions: Emissions, items: int = 1) -> tuple[Quantity, Quantity]:
    """Return the facility energy of an IT energy, joules, and the emissions of `items` times as much, grams."""
    pue, intensity = emissions.pue, emissions.intensity
    facility = scaled(energy, facility_energy_j(1.0, pue.value), "J", pue=factors(pue.value, pue.low, pue.high))
    grams = scaled(
        facility,
        items * emissions_g(1.0, intensity.g_per_kwh),
        "g",
        intensity=factors(intensity.g_per_kwh, intensity.low, intensity.high),
    )
    return facility, grams


def recompute(run_file: RunFile, emissions: Emissions, notices: Sequence[Notice] = ()) -> RunFile:
    """Return the run file as if measured with `emissions`. `notices` about these replace the file's carbon notices."""
    idle = mean_idle_power(run_file.idle)
    cases = tuple(with_summary(case, case_summary(case, idle, emissions)) for case in run_file.cases)
    kept = (notice for notice in run_file.notices if notice.code not in CARBON_CODES)
    return run_file.model_copy(update={"cases": cases, "emissions": emissions, "notices": (*kept, *notices)})


def _net(energy: CaseEnergy, idle: Mapping[ReadingKey, IdlePower]) -> Quantity:
    """Return joules per item above idle; no value, with the reason, where energy or idle power is not known."""
    net = net_energy(energy, idle)
    if net.reason is not None:
        return unknown("J", net.reason)
    values = [net_j / trial.trial.items for net_j, trial in zip(net.energy_j, energy.trials, strict=True)]
    quantity = energy_quantity(energy, "J", values)
    return quantity.model_copy(update={"kind": net.kind, "ranges": Ranges(sensor=net.sensor_range)})
