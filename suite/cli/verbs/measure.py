"""`joulemark measure`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from joulemark.suite.cli import options
from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.notices import Code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from joulemark.suite.meter.command_run import CommandRun, Execution


def command(
    context: typer.Context,
    program: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run, with its arguments.")],
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
    device: Annotated[
        list[str] | None,
        typer.Option(help="Boards it uses, cuda:0, ..., or cpu for none. (default: all that it can see)"),
    ] = None,
    rounds: Annotated[int | None, typer.Option(help="How often to run it. (default: 1)")] = None,
    idle: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Measure the machine at rest before, for net energy.")
    ] = 0.0,
    name: Annotated[str | None, typer.Option(help="What to call it. (default: the program's name)")] = None,
    out: options.Out = None,
    as_json: options.Json = False,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Write no page.", rich_help_panel=options.OUTPUT)
    ] = False,
) -> int:
    """Joules and grams of any command, its children included.

    Its exit code is handed on, its output is untouched (with --json it goes to standard error), and so are signals.
    The energy is that of the whole processor and of whole boards while it ran: other programs' share is in it.
    """
    given = options.settings_from_context(context, locals())
    from datetime import UTC, datetime

    from joulemark.suite import settings
    from joulemark.suite.carbon.resolve import resolve
    from joulemark.suite.cli.support.carbon_inputs import service
    from joulemark.suite.meter.command_run import CommandRun, measure

    if shutil.which(program[0]) is None:
        raise UsageError(f"cannot run {program[0]!r}: {_why_not(Path(program[0]))}")
    # Rounds of the settings file are those of cases: nobody wants a training run ten times for a gate's sake.
    chosen = settings.resolve(given).model_copy(update={"rounds": rounds})
    emissions, notices = resolve(chosen, datetime.now(UTC), service(chosen))
    errand = CommandRun(
        program=tuple(program),
        name=name or Path(program[0]).name,
        settings=chosen,
        emissions=emissions,
        notices=notices,
        directory=settings.runs_directory(out).absolute(),
        command=("joulemark", *sys.argv[1:]),
        idle_s=idle,
        output_to_stderr=as_json,
    )
    path, ended = measure(errand)
    try:
        _show(path, errand, ended, as_json, report=not no_report)
    except JoulemarkError as error:  # the command has run: its exit code is what counts
        print(f"joulemark: {error}", file=sys.stderr)
    return ended[-1].exit_code


def _why_not(program: Path) -> str:
    """Why what stands at `program`, or does not, cannot be run."""
    if program.is_dir():
        return "it is a folder. Name a program in it."
    if program.is_file():
        return "it is not executable: chmod +x, or name the program that reads it first."
    return "there is no such program. Give its path, or mend PATH."


def _show(path: Path, errand: CommandRun, ended: Sequence[Execution], as_json: bool, report: bool) -> None:
    """What it took, on standard error, and the one JSON object."""
    from joulemark.suite import units
    from joulemark.suite.cli.support.carbon_inputs import service, settled
    from joulemark.suite.cli.support.execute import page
    from joulemark.suite.meter.command_run import cpu_share
    from joulemark.suite.meter.window_result import window_result
    from joulemark.suite.terminal import console

    run_file = settled(path, service(errand.settings))
    (case,) = run_file.cases
    accounts = [
        window_result(trial.energy, run_file.emissions, trial.window_length_s)
        for trial in case.trials
        if trial.window_s is not None
    ]
    for found, how in zip(accounts, ended, strict=True):
        console.print_message(f"joulemark: {found['text']}" + (f"; exit code {how.exit_code}" if how.exit_code else ""))
    mean = case.summary.energy_per_item_j if case.summary is not None else None
    if mean is not None and mean.low is not None:
        ends = f"{units.quantity(mean.low, 'J')} to {units.quantity(mean.high, 'J')}"
        console.print_message(f"joulemark: {units.quantity(mean.value, 'J')} a run [{ends}], n={mean.n}")
    console.print_message(f"joulemark: {cpu_share(ended)}")
    for notice in run_file.notices:
        if notice.code != Code.WHOLE_MACHINE:
            console.print_message(f"joulemark: {notice.message} {notice.remedy}")
    shown = page(run_file, path) if report else None
    console.print_message(f"Run file: {path}" + (f"\nReport:   {shown}" if shown else ""))
    if as_json:
        document = run_file.model_dump(mode="json", exclude={"traces"})
        where = {"path": str(path), "report": str(shown) if shown else None}
        console.print_json({**document, **where, "exit_code": ended[-1].exit_code, "measurements": accounts})
