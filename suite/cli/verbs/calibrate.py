"""`joulemark calibrate`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from joulemark.suite.cli.support.prepare import Prepared
    from joulemark.suite.records import RunFile

PROFILE = "ci"
"""What is measured unless something else is asked for: the cases that a gate has."""

ROUNDS = 5
"""Rounds of each run unless others are asked for: what varies between runs is of interest here, not one run."""


def command(
    context: typer.Context,
    run: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN", help="Runs that are kept, instead of measuring. Takes no selection."),
    ] = None,
    runs: Annotated[int | None, typer.Option(help="Runs to measure, 5 or more. (default: 5)")] = None,
    every: Annotated[
        float | None,
        typer.Option(metavar="MINUTES", help="From the start of a run to that of the next. (default: 10)"),
    ] = None,
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
    offline: options.Offline = False,
    sensor: options.Sensor = None,
    allow_estimates: options.AllowEstimates = False,
    out: options.Out = None,
    as_json: options.Json = False,
) -> int:
    """Find out what this machine can tell apart: run the same again and again, and see how the runs differ.

    Measures 5 runs of profile ci, 5 rounds each, 10 minutes apart (45 minutes), and keeps them like any other; `check`
    uses them. Longer apart is better: drift over a day is not seen in an hour. Exit codes: 0 fine, 2 bad usage, 3 the
    runs have too little in common, 4 a case failed, 130 interrupted (finished runs are kept).
    """
    given = options.settings_from_context(context, locals())
    from joulemark.suite.cli.support import calibration_runs
    from joulemark.suite.errors import UsageError
    from joulemark.suite.settings import runs_directory
    from joulemark.suite.terminal import console

    if run:
        if wrong := options.given_flags(context, ["runs", "every", *sorted(given.keys() - {"allow_estimates"})]):
            raise UsageError(f"{wrong[0]} is for measuring: leave it out, or name no runs.")
        kept, code = _named(run, runs_directory(out)), 0
    else:
        kept, code = _measure(given, 5 if runs is None else runs, 10.0 if every is None else every, out)
    if code == 130:
        return code
    document = calibration_runs.document(kept, allow_estimates)
    if as_json:
        console.print_json(document)
    else:
        calibration_runs.show(document)
    return code


def _named(names: Sequence[str], directory: Path) -> list[RunFile]:
    from joulemark.suite.results.store import load

    found = {one.run.id: one for one in (load(name, directory) for name in names)}
    return sorted(found.values(), key=lambda one: one.run.started_at)


def _measure(given: dict[str, object], count: int, every_min: float, out: Path | None) -> tuple[list[RunFile], int]:
    """The runs, measured one after the other, and the exit code."""
    from joulemark.suite import units
    from joulemark.suite.cli.support.execute import failed, measured
    from joulemark.suite.cli.support.prepare import prepare
    from joulemark.suite.errors import StoppedError, UsageError
    from joulemark.suite.plan.plan import new_order_seed
    from joulemark.suite.stats.drift import MIN_RUNS
    from joulemark.suite.terminal import console

    if count < MIN_RUNS:
        raise UsageError(f"--runs is {count}: drift between runs is seen in {MIN_RUNS} of them at least.")
    if not 0 <= every_min < 7 * 24 * 60:
        raise UsageError(f"--every is {every_min:g}: give minutes, from 0 (one run after the other) to a week.")
    prepared = prepare(_with_defaults(given))
    if prepared.plan.rounds < 2:
        raise UsageError("--rounds is 1: what varies within a run is seen in 2 rounds at least.")
    console.print_message(f"{count} runs: about {units.duration(_expected_s(prepared, count, every_min * 60))}.")
    kept: list[RunFile] = []
    code = 0
    for number in range(1, count + 1):
        started = time.monotonic()
        console.print_message(f"Run {number} of {count}")
        again = replace(prepared, plan=replace(prepared.plan, order_seed=new_order_seed()))
        try:
            run_file, path, interrupted = measured(again, out)
            console.print_message(f"Run file: {path}")
            if not interrupted:
                kept.append(run_file)
                code = 4 if failed(run_file) else code
            if not interrupted and number < count:
                _rest(started + every_min * 60, number + 1)
        except (KeyboardInterrupt, StoppedError):
            interrupted = True
        if interrupted:
            console.print_message(
                "Interrupted. `joulemark calibrate RUN...` reads the runs that are kept, "
                f"{len(kept)} of {count} from this calibration."
            )
            return kept, 130
    return kept, code


def _with_defaults(given: dict[str, object]) -> dict[str, object]:
    """`given`, with our profile and rounds where neither an option nor the settings file says anything."""
    from joulemark.suite import settings
    from joulemark.suite.cli.support.prepare import pythons

    python = given.get("python")
    said = settings.resolve({**given, "python": pythons(python or ())}).model_fields_set
    ours = {} if "profile" in said else {"profile": PROFILE}
    return {**ours, **({} if {"rounds", "profile"} & said else {"rounds": ROUNDS}), **given}


def _expected_s(prepared: Prepared, count: int, every_s: float) -> float:
    """How long all runs take, seconds."""
    one = prepared.plan.expected_s()
    return (count - 1) * max(every_s, one) + one


def _rest(until: float, number: int) -> None:
    """Wait until a time of the monotonic clock."""
    from joulemark.suite import units
    from joulemark.suite.terminal import console

    left = until - time.monotonic()
    if left > 0:
        console.print_message(f"Run {number} starts in {units.duration(left)}.")
        time.sleep(left)
