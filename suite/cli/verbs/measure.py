"""`joulemark measure`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from joulemark.suite import units
from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import resolve_settings, settings_from_context
from joulemark.suite.cli.option_groups import Carbon
from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.notices import Code
from joulemark.suite.system.directories import runs_directory
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.console import print_json, print_message

if TYPE_CHECKING:
    from joulemark.suite.meter.command_run import CommandRun, Execution
    from joulemark.suite.system.ranks import Rank


class Options(Carbon):
    """The options that `measure` shares with `run`."""

    offline: options.Offline
    sensor: options.Sensor
    out: options.Out
    as_json: options.Json
    no_report: options.NoReport


def command(
    context: typer.Context,
    program: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="What to run, with its arguments.")],
    device: Annotated[
        list[str] | None,
        typer.Option(help="GPUs it uses, cuda:0, ..., or cpu for none. (default: all that it can see)"),
    ] = None,
    rounds: Annotated[int | None, typer.Option(help="How often to run it. (default: 1)")] = None,
    idle: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Measure idle power first, for net energy.")
    ] = 0.0,
    name: Annotated[str | None, typer.Option(help="What to call it. (default: the program's name)")] = None,
    **given: Unpack[Options],
) -> int:
    """Joules and grams of any command, including its child processes.

    Exit code and signals are passed on, and output is untouched (with --json it goes to standard error). The energy is
    that of the whole processor and of whole GPUs while it ran, including the share of other programs. Under a launcher
    of ranks (srun, mpirun, torchrun) the first rank of each node measures, and the others only run the command.
    """
    from joulemark.suite.carbon.resolve import resolve
    from joulemark.suite.cli.support.carbon_service import carbon_service
    from joulemark.suite.meter.command_run import CommandRun, measure
    from joulemark.suite.system import ranks

    if shutil.which(program[0]) is None:
        raise UsageError(f"cannot run {program[0]!r}: {_why_not(Path(program[0]))}")
    rank = ranks.find()
    if rank is not None and not rank.counts_the_node:
        return _run_uncounted(rank, program, rounds or 1, given["as_json"])
    chosen = resolve_settings(
        settings_from_context(context, {**given, "device": device, "rounds": rounds}), measures=True
    )
    # Rounds of the settings file are for cases: a training run must not be repeated ten times because of a gate.
    chosen = chosen.model_copy(update={"rounds": rounds})
    emissions, notices = resolve(chosen, datetime.now(UTC), carbon_service(chosen))
    request = CommandRun(
        program=tuple(program),
        name=name or Path(program[0]).name,
        settings=chosen,
        emissions=emissions,
        notices=notices,
        directory=runs_directory(given["out"]).absolute(),
        command=("joulemark", *sys.argv[1:]),
        idle_s=idle,
        output_to_stderr=given["as_json"],
        rank=rank,
    )
    path, executions = measure(request)
    try:
        _print_result(path, request, executions, given["as_json"], report=not given["no_report"])
    except JoulemarkError as error:  # the command has run: its exit code is what counts
        print_message(f"joulemark: {one_line(str(error))}")
    interrupted = len(executions) < (rounds or 1)
    return executions[-1].exit_code or (130 if interrupted else 0)


def _run_uncounted(rank: Rank, program: Sequence[str], rounds: int, as_json: bool) -> int:
    """Run the command as one of several ranks of a node whose first one measures; return its exit code."""
    from joulemark.suite.meter.command_run import execute
    from joulemark.suite.records import SCHEMA_VERSION

    own = f"local rank {rank.local_rank}" if rank.rank is None else f"rank {rank.rank}"
    reason = f"counted by the first rank of this node; this is {own} of {rank.world_size}"
    print_message(f"joulemark: not measured here: {reason}")
    exit_code = next((code for _ in range(rounds) if (code := execute(program, as_json).exit_code)), 0)
    if as_json:
        energy = {"value": None, "unit": "J", "kind": "unavailable", "reason": reason}
        measurements = [{"readings": [], "energy": energy}]
        print_json({"schema_version": SCHEMA_VERSION, "exit_code": exit_code, "measurements": measurements})
    return exit_code


def _why_not(program: Path) -> str:
    """Return why `program` cannot be run."""
    if program.is_dir():
        return "it is a folder. Name a program in it."
    if program.is_file():
        return "it is not executable: chmod +x, or name its interpreter first."
    return "there is no such program. Give its path, or fix PATH."


def _print_result(
    path: Path, request: CommandRun, executions: Sequence[Execution], as_json: bool, report: bool
) -> None:
    """Print the result on standard error, and the `--json` object on standard output."""
    from joulemark.suite.cli.support.carbon_service import carbon_service, update_intensity
    from joulemark.suite.cli.support.execute import path_document, print_paths
    from joulemark.suite.meter.command_run import cpu_share
    from joulemark.suite.meter.window_result import window_result
    from joulemark.suite.results import run_files
    from joulemark.suite.stats.intervals import geometric_mean

    run_file = update_intensity(path, carbon_service(request.settings))
    (case,) = run_file.cases
    simulated = {trace.sensor for trace in run_file.traces if trace.simulated}
    results = [
        window_result(trial.energy, run_file.emissions, trial.window_length_s, simulated)
        for trial in case.trials
        if trial.window_s is not None
    ]
    for result, execution in zip(results, executions, strict=True):
        exit_code = f"; exit code {execution.exit_code}" if execution.exit_code else ""
        print_message(f"joulemark: {result['text']}{exit_code}")
    usable = [trial.is_usable for trial in case.trials if trial.window_s is not None]
    energies_j = [result["energy"]["value"] for result, counts in zip(results, usable, strict=True) if counts]
    if len(energies_j) > 1 and all(energies_j):
        mean = geometric_mean(energies_j)
        interval = f"{units.quantity(mean.low, 'J')} to {units.quantity(mean.high, 'J')}"
        print_message(f"joulemark: {units.quantity(mean.value, 'J')} per run [{interval}], n={mean.n}")
    print_message(f"joulemark: {cpu_share(executions)}")
    for notice in run_file.notices:
        if notice.code != Code.WHOLE_MACHINE:
            print_message(f"joulemark: {notice.message} {notice.remedy}")
    page = print_paths(run_file, path, report)
    if as_json:
        document = {**run_files.document(run_file), **path_document(path, page)}
        print_json({**document, "exit_code": executions[-1].exit_code, "measurements": results})
