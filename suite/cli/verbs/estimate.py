"""`joulemark estimate`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, Unpack

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import given_flags, settings_from_context
from joulemark.suite.errors import UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_json, print_message, print_text
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.units import significant

if TYPE_CHECKING:
    from joulemark.suite.carbon.accounting import Estimate, Step
    from joulemark.suite.records import Emissions


def _hardware(help_text: str) -> Any:
    return typer.Option(help=help_text, rich_help_panel="Hardware")


def _year(help_text: str, *names: str) -> Any:
    return typer.Option(*names, help=help_text, rich_help_panel="A year of a run")


class Options(TypedDict):
    """The options that `estimate` shares with `run`."""

    pue: options.Pue
    psf: options.Psf
    price: options.Price
    zone: options.Zone
    intensity: options.Intensity
    offline: options.Offline
    as_json: options.Json


def command(
    context: typer.Context,
    hours: Annotated[float | None, _hardware("Running time, hours.")] = None,
    cores: Annotated[float, _hardware("CPU cores in use.")] = 0.0,
    watts_per_core: Annotated[float, _hardware("Power of a core: TDP over cores. Unknown: 12.")] = 0.0,
    usage: Annotated[float, _hardware("Usage of the cores, 0 to 1.")] = 1.0,
    gpus: Annotated[float, _hardware("GPUs in use.")] = 0.0,
    watts_per_gpu: Annotated[float, _hardware("Power of a GPU: its TDP. Unknown: 200.")] = 0.0,
    gpu_usage: Annotated[float, _hardware("Usage of the GPUs, 0 to 1.")] = 1.0,
    memory_gb: Annotated[float, _hardware("Available memory, not what is used, GB.")] = 0.0,
    run: Annotated[
        str | None, _year("A year on the machine of a run: a path, an id, a beginning of one, or latest.")
    ] = None,
    k: Annotated[
        str | None, _year("Its cases whose id matches, as in pytest. (default: units that people know)", "-k")
    ] = None,
    items_per_day: Annotated[float | None, _year("Items that are done a day.")] = None,
    busy_hours: Annotated[float | None, _year("Instead: hours a day that this machine works. (default: 8)")] = None,
    against: Annotated[
        list[str] | None, _year("Reference machines that do the same items; repeatable. (default: all)")
    ] = None,
    out: options.Out = None,
    **given: Unpack[Options],
) -> None:
    """Estimate energy and emissions from hours and nominal watts, as Green Algorithms does; or a year from a run.

    With --hours nothing is measured, and components left out are zero: Lannelongue, Grealey and Inouye 2021, doi
    10.1002/advs.202100707. With --run it is what a year takes on the run's machine and on reference machines: the
    measured joules of the work, and idle watts for the rest of the year.
    """
    if (hours is None) == (run is None):
        raise UsageError("give --hours and hardware, or --run and a run that was measured: one of them.")
    if run is not None:
        _year_of_run(context, run, k, items_per_day, busy_hours, against, out, given)
        return
    _check_without_run(context)
    assert hours is not None
    from joulemark.suite import settings
    from joulemark.suite.carbon.accounting import green_algorithms
    from joulemark.suite.carbon.resolve import resolve
    from joulemark.suite.cli.support.carbon_service import carbon_service, notice_text
    from joulemark.suite.results.machine.year import check_price

    _check_pair("core", cores, watts_per_core, 12)
    _check_pair("gpu", gpus, watts_per_gpu, 200)
    chosen = settings.resolve(settings_from_context(context, given))
    emissions, notices = resolve(chosen, datetime.now(UTC), carbon_service(chosen))
    estimate = green_algorithms(
        hours,
        cores=cores,
        watts_per_core=watts_per_core,
        usage=usage,
        gpus=gpus,
        watts_per_gpu=watts_per_gpu,
        gpu_usage=gpu_usage,
        memory_gb=memory_gb,
        pue=emissions.pue.value,
        psf=emissions.psf,
        g_per_kwh=emissions.intensity.g_per_kwh,
    )
    if not (cores or gpus or memory_gb):
        raise UsageError(
            "which hardware? Give --cores and --watts-per-core, --gpus and --watts-per-gpu, or --memory-gb."
        )
    if not (math.isfinite(estimate.energy_kwh) and math.isfinite(estimate.emissions_g)):
        raise UsageError("the product of these numbers is too large to compute: check them.")
    check_price(price := given["price"])
    cost = None if price is None else estimate.energy_kwh * price
    if given["as_json"]:
        print_json({**_document(estimate, emissions), "cost": cost})
        return
    print_text(_table(estimate.steps))
    if cost is not None:
        print_text(f"Cost: {significant(cost, 4)}, at {price:g} a kWh.")
    print_message(f"Intensity: {emissions.intensity.source}. PUE: {emissions.pue.source}. Nothing was measured.")
    for notice in notices:
        print_message(notice_text(notice))


def _check_without_run(context: typer.Context) -> None:
    """Raise UsageError for an option that needs --run."""
    if wrong := given_flags(context, ["k", "items_per_day", "busy_hours", "against", "out"]):
        raise UsageError(f"{wrong[0]} applies to a year on the machine of a run: give --run too, or leave it out.")


def _year_of_run(
    context: typer.Context,
    run: str,
    keyword: str | None,
    items_per_day: float | None,
    busy_h: float | None,
    against: list[str] | None,
    out: Path | None,
    given: Options,
) -> None:
    """Print what a year of the cases of `run` takes."""
    from joulemark.suite.cli.support.carbon_service import recompute_emissions
    from joulemark.suite.cli.support.year_estimate import chosen_cases, line_document, year_table
    from joulemark.suite.results.machine.years import unshared, year_lines
    from joulemark.suite.results.references.kept import check_names, load_all
    from joulemark.suite.results.store import load

    hardware = ["cores", "watts_per_core", "usage", "gpus", "watts_per_gpu", "gpu_usage", "memory_gb"]
    if wrong := given_flags(context, hardware):
        raise UsageError(f"{wrong[0]} applies to --hours: a run has measured its own hardware.")
    if items_per_day is not None and busy_h is not None:
        raise UsageError("--items-per-day and --busy-hours both give the load: give one of them.")
    check_names(against)
    price = given["price"]
    run_file = recompute_emissions(load(run, find_runs(out)), settings_from_context(context, given), given["offline"])
    cases, references = chosen_cases(run_file, keyword), load_all(against, [run_file])
    lines = list(year_lines(run_file, cases, references, run_file.emissions, items_per_day, busy_h, price))
    if given["as_json"]:
        emissions = run_file.emissions.model_dump(mode="json", include={"intensity", "pue", "psf"})
        print_json(
            {"run": run_file.run.id, "price": price, **emissions, "years": [line_document(each) for each in lines]}
        )
        return
    print_text(year_table(lines, price))
    intensity, pue = run_file.emissions.intensity, run_file.emissions.pue
    print_message(f"Intensity: {intensity.g_per_kwh:g} g/kWh, {intensity.source}. PUE: {pue.value:g}, {pue.source}.")
    reasons = {f"{each.machine}: {each.year.reason}": None for each in lines if each.year.reason}
    notes = {f"{each.machine}, {each.year.case.id}: {each.note}": None for each in lines if each.note}
    for text in (*reasons, *notes, *unshared(run_file, cases, references)):
        print_message(text)


def _check_pair(name: str, count: float, watts: float, default_watts: int) -> None:
    """Raise UsageError if only one of a number of cores or GPUs and their power is given."""
    if bool(count) == bool(watts):
        return
    given, missing = (f"--{name}s", f"--watts-per-{name}") if count else (f"--watts-per-{name}", f"--{name}s")
    hint = f" ({default_watts} if unknown, as Green Algorithms assumes)" if count else ""
    raise UsageError(f"{given} without {missing}: give both{hint}, or neither.")


def _document(estimate: Estimate, emissions: Emissions) -> dict[str, Any]:
    """Return the `--json` object: the result, each step to it, and what it was computed with."""
    return {
        "energy_kwh": estimate.energy_kwh,
        "emissions_g": estimate.emissions_g,
        "steps": [asdict(step) for step in estimate.steps],
        "intensity": emissions.intensity.model_dump(mode="json"),
        "pue": emissions.pue.model_dump(mode="json"),
        "psf": emissions.psf,
    }


def _table(steps: Sequence[Step]) -> AdaptiveTable:
    table = AdaptiveTable("Step", Column("Formula", wrap=True), Column("Value", right=True), "Unit")
    for step in steps:
        table.add(step.name, step.formula, significant(step.value, 4), step.unit)
    return table
