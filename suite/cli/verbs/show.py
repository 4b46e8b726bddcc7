"""`joulemark show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from joulemark.suite.cli import options
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_json, print_text
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.units import quantity

if TYPE_CHECKING:
    from joulemark.suite.records import Intensity, RunFile


def command(
    run: options.RunName,
    what_if: Annotated[
        list[str] | None, options.carbon(metavar="ZONE", help="The run's emissions in another zone; repeatable.")
    ] = None,
    allow_estimates: options.AllowEstimates = False,
    out: options.Out = None,
    as_json: options.Json = False,
) -> None:
    """Show a run in the terminal, even an interrupted one."""
    from joulemark.suite.carbon import ember
    from joulemark.suite.cli.support.compare.against import print_against
    from joulemark.suite.results import run_files
    from joulemark.suite.results.references.kept import load_all
    from joulemark.suite.results.store import load
    from joulemark.suite.terminal.run_summary import print_run

    run_file = load(run, find_runs(out))
    if allow_estimates:
        run_file = run_file.model_copy(
            update={"settings": run_file.settings.model_copy(update={"allow_estimates": True})}
        )
    intensities = {intensity.zone or zone: intensity for zone in what_if or () for intensity in [ember.intensity(zone)]}
    totals = _totals_elsewhere(run_file, intensities)
    if as_json:
        document = run_files.document(run_file)
        print_json(document if what_if is None else {**document, "what_if": totals})
        return
    print_run(run_file)
    if run_file.settings.over:
        from joulemark.suite.cli.support.sweep.output import print_findings
        from joulemark.suite.stats.sweep.analysis import analyse

        print_findings(run_file, analyse(run_file))
    print_against(load_all(None, [run_file]), run_file)
    if totals:
        print_text("\nThe whole run elsewhere", _table(totals))


def _totals_elsewhere(run_file: RunFile, intensities: Mapping[str, Intensity]) -> list[dict[str, Any]]:
    """Return the totals of the run in each zone, lowest intensity first; `emissions_g` is None without energy."""
    from joulemark.suite.energy.totals import what_if

    rows = [
        {
            "zone": zone,
            "g_per_kwh": intensities[zone].g_per_kwh,
            "vintage": intensities[zone].vintage,
            "facility_energy_j": total.facility_energy_j,
            "emissions_g": total.emissions_g,
            "kind": total.kind,
            "lower_bound": total.lower_bound,
            "reason": total.reason,
        }
        for zone, total in what_if(run_file, intensities).items()
    ]
    return sorted(rows, key=lambda row: (row["g_per_kwh"], row["zone"]))


def _table(totals: Sequence[Mapping[str, Any]]) -> AdaptiveTable:
    from joulemark.suite.carbon.ember import countries
    from joulemark.suite.terminal.run_summary import total_prefix

    table = AdaptiveTable("Zone", *(Column(title, right=True) for title in ("g/kWh", "Year", "Emissions")))
    for total in totals:
        zone, grams = total["zone"], total["emissions_g"]
        prefix = total_prefix(total["kind"] == "model", total["lower_bound"]) if grams is not None else ""
        name = f"{zone}  {countries()[zone].name}"
        table.add(name, f"{total['g_per_kwh']:g}", str(total["vintage"]), prefix + quantity(grams, "g"))
    return table
