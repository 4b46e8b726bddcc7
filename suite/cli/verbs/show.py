"""`joulemark show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joulemark.suite.records import Intensity, RunFile
    from joulemark.suite.terminal.tables import AdaptiveTable


def command(
    run: options.RunName,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ZONE", help="The run's emissions in another zone; repeatable.", rich_help_panel=options.CARBON
        ),
    ] = None,
    out: options.Out = None,
    as_json: options.Json = False,
) -> None:
    """Show a run in the terminal, an interrupted one too."""
    from joulemark.suite.carbon import ember
    from joulemark.suite.results.store import load
    from joulemark.suite.settings import runs_directory
    from joulemark.suite.terminal import console
    from joulemark.suite.terminal.run_summary import print_run

    run_file = load(run, runs_directory(out))
    zones = {found.zone or zone: found for zone in what_if or () for found in [ember.intensity(zone)]}
    if as_json:
        document = run_file.model_dump(mode="json", exclude={"traces"})
        console.print_json(document if what_if is None else {**document, "what_if": _rows(run_file, zones)})
        return
    print_run(run_file)
    if zones:
        console.print_text("\nThe whole run elsewhere", _table(run_file, zones))


def _rows(run_file: RunFile, zones: Mapping[str, Intensity]) -> list[dict[str, object]]:
    """The whole run in each zone, the cleanest first; `emissions_g` is None where energy was not measured."""
    from joulemark.suite.energy.totals import what_if

    rows: list[dict[str, object]] = [
        {
            "zone": zone,
            "g_per_kwh": zones[zone].g_per_kwh,
            "vintage": zones[zone].vintage,
            "facility_energy_j": total.facility_energy_j,
            "emissions_g": total.emissions_g,
            "kind": total.kind,
            "lower_bound": total.lower_bound,
            "reason": total.reason,
        }
        for zone, total in what_if(run_file, zones).items()
    ]
    return sorted(rows, key=lambda row: (zones[str(row["zone"])].g_per_kwh, str(row["zone"])))


def _table(run_file: RunFile, zones: Mapping[str, Intensity]) -> AdaptiveTable:
    from joulemark.suite.carbon.ember import countries
    from joulemark.suite.terminal.run_summary import total_prefix
    from joulemark.suite.terminal.tables import AdaptiveTable, Column
    from joulemark.suite.units import quantity

    shown = AdaptiveTable("Zone", *(Column(title, right=True) for title in ("g/kWh", "Year", "Emissions")))
    for row in _rows(run_file, zones):
        zone, grams = str(row["zone"]), row["emissions_g"]
        shown.add(
            f"{zone}  {countries()[zone].name}",
            f"{row['g_per_kwh']:g}",
            str(row["vintage"]),
            total_prefix(row["kind"] == "model", bool(row["lower_bound"])) + quantity(grams, "g")
            if isinstance(grams, float)
            else quantity(None, "g"),
        )
    return shown
