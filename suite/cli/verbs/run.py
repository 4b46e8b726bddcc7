"""`joulemark run`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from joulemark.suite.cli.support.prepare import Prepared
    from joulemark.suite.records import RunFile


def command(
    context: typer.Context,
    profile: options.Profile = None,
    workload: options.Workload = None,
    size: options.Size = None,
    phase: options.Phase = None,
    framework: options.Framework = None,
    mode: options.Mode = None,
    device: options.Device = None,
    precision: options.Precision = None,
    batch_size: options.BatchSize = None,
    k: options.Keyword = None,
    threads: options.Threads = None,
    allocator: options.Allocator = None,
    rounds: options.Rounds = None,
    python: options.Python = None,
    zone: options.Zone = None,
    coordinates: options.Coordinates = None,
    data_center: options.DataCenter = None,
    emission_factors: options.EmissionFactors = None,
    intensity: options.Intensity = None,
    pue: options.Pue = None,
    psf: options.Psf = None,
    embodied: options.Embodied = None,
    lifespan_years: options.LifespanYears = None,
    offline: options.Offline = False,
    sensor: options.Sensor = None,
    second_opinion: options.SecondOpinion = False,
    allow_estimates: options.AllowEstimates = False,
    out: options.Out = None,
    as_json: options.Json = False,
    no_report: options.NoReport = False,
    dry_run: options.DryRun = False,
    latency: Annotated[
        bool,
        typer.Option("--latency", help="Also time single steps, for p50, p95 and p99.", rich_help_panel=options.EFFORT),
    ] = False,
    resume: options.Resume = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 also where a case is not valid (noisy, not steady, ...).")
    ] = False,
) -> int:
    """Measure: speed, energy and carbon of the selected cases, in rounds of fresh processes.

    Without options: profile quick, at most 3 minutes on two cores. Exit codes: 0 fine, 2 bad usage, 4 a case failed in
    all of its trials or, with --strict, is not valid, or nothing was measured; 130 interrupted (what was finished is
    kept; --resume goes on).
    """
    given = options.settings_from_context(context, locals())
    from joulemark.suite.cli.support import comparison, execute
    from joulemark.suite.cli.support.prepare import prepare, prepare_again
    from joulemark.suite.settings import runs_directory

    comparison.thresholds((), None)  # wrong ones in the settings file are said now, not when the run is judged
    if resume is None:
        prepared = prepare(given)
    else:
        prepared = prepare_again(resume, options.given_flags(context, given), runs_directory(out))
    if dry_run:
        return execute.dry_run(prepared, as_json)
    return _measure(prepared, out, as_json, report=not no_report)


def _measure(prepared: Prepared, out: Path | None, as_json: bool, report: bool) -> int:
    """Run the plan, keep the file, write the page, show the table; the exit code."""
    from joulemark.suite.cli.support.execute import failed, measured, page
    from joulemark.suite.terminal import console
    from joulemark.suite.terminal.run_summary import print_run

    run_file, path, interrupted = measured(prepared, out)
    if not as_json:
        print_run(run_file)
    console.print_message(f"Run file: {path}")
    shown = page(run_file, path) if report else None
    if shown:
        console.print_message(f"Report:   {shown}")
    if as_json:
        console.print_json(_document(run_file, path, shown))
    if interrupted:
        console.print_message(f"Interrupted: {run_file.run.id} holds the trials that were finished; go on with --resume.")
        return 130
    if not any(case.status == "ok" for case in run_file.cases):
        console.print_message("Nothing was measured: no case has a trial that is ok.")
    return 4 if failed(run_file) else 0


def _document(run_file: RunFile, path: Path, page: Path | None) -> Mapping[str, Any]:
    """The run file without traces, and where it and its page are."""
    document = run_file.model_dump(mode="json", exclude={"traces"})
    return {**document, "path": str(path), "report": str(page) if page else None}
