"""`joulemark estimate`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, Unpack

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import settings_from_context
from joulemark.suite.errors import UsageError
from joulemark.suite.terminal.console import print_json, print_message, print_text
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.units import significant

if TYPE_CHECKING:
    from joulemark.suite.carbon.accounting import Estimate, Step
    from joulemark.suite.records import Emissions


def _hardware(help_text: str) -> Any:
    return typer.Option(help=help_text, rich_help_panel="Hardware")


class Options(TypedDict):
    """The options that `estimate` shares with `run`."""

    pue: options.Pue
    psf: options.Psf
    zone: options.Zone
    intensity: options.Intensity
    offline: options.Offline
    as_json: options.Json


def command(
    context: typer.Context,
    hours: Annotated[float, _hardware("Running time, hours.")],
    cores: Annotated[float, _hardware("CPU cores in use.")] = 0.0,
    watts_per_core: Annotated[float, _hardware("Power of a core: TDP over cores. Unknown: 12.")] = 0.0,
    usage: Annotated[float, _hardware("Usage of the cores, 0 to 1.")] = 1.0,
    gpus: Annotated[float, _hardware("GPUs in use.")] = 0.0,
    watts_per_gpu: Annotated[float, _hardware("Power of a GPU: its TDP. Unknown: 200.")] = 0.0,
    gpu_usage: Annotated[float, _hardware("Usage of the GPUs, 0 to 1.")] = 1.0,
    memory_gb: Annotated[float, _hardware("Available memory, not what is used, GB.")] = 0.0,
    **given: Unpack[Options],
) -> None:
    """Estimate energy and emissions from hours and nominal watts, as Green Algorithms does, step by step.

    Nothing is measured. Components left out are zero. Lannelongue, Grealey and Inouye 2021, doi 10.1002/advs.202100707.
    """
    from joulemark.suite import settings
    from joulemark.suite.carbon.accounting import green_algorithms
    from joulemark.suite.carbon.resolve import resolve
    from joulemark.suite.cli.support.carbon_service import carbon_service, notice_text

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
    if given["as_json"]:
        print_json(_document(estimate, emissions))
        return
    print_text(_table(estimate.steps))
    print_message(f"Intensity: {emissions.intensity.source}. PUE: {emissions.pue.source}. Nothing was measured.")
    for notice in notices:
        print_message(notice_text(notice))


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
