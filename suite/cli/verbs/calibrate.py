"""`joulemark calibrate`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from joulemark.suite import units
from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import given_flags, settings_from_context
from joulemark.suite.cli.option_groups import Selection
from joulemark.suite.errors import StoppedError, UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_message, print_result

if TYPE_CHECKING:
    from joulemark.suite.cli.support.prepare import PreparedRun
    from joulemark.suite.records import RunFile

PROFILE = "ci"
"""The default profile: the cases of a gate."""
ROUNDS = 5
"""Default rounds per run: the variation between runs matters here, not the precision of one run."""
WINDOW_S = 2.0
"""Default window on a CPU, seconds: shorter ones are cut out of it."""
RUNS = 5
EVERY_MIN = 10.0
MAX_MIN = 7 * 24 * 60
WITHIN_MIN = 10.0
"""Time of a comparison that rounds and windows are chosen for: what profile ci promises."""


class Options(Selection):
    """The options of its runs."""

    python: options.Python
    offline: options.Offline
    sensor: options.Sensor
    allow_estimates: options.AllowEstimates
    out: options.Out
    as_json: options.Json


def command(
    context: typer.Context,
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN",
            help="Kept runs to use instead of measuring. Takes no selection.",
            autocompletion=options.a_run,
        ),
    ] = None,
    runs: Annotated[int | None, typer.Option(help="Runs to measure, 5 or more. (default: 5)")] = None,
    every: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="Time from the start of a run to the next. (default: 10)")
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES", help="Time of a comparison to choose window and rounds for, both sides. (default: 10)"
        ),
    ] = None,
    meter: Annotated[
        str | None,
        typer.Option(
            metavar="SENSOR",
            help="Calibrate the gain of the other sensors against one of the whole machine, such as plug:ADDRESS; "
            "with RUN, its name.",
        ),
    ] = None,
    **given: Unpack[Options],
) -> int:
    """Find out which differences this machine can detect: repeat the same run, and see how the results vary.

    Measures 5 runs of profile ci, 5 rounds each, 10 minutes apart (45 minutes), and keeps them like any other; `check`
    uses them. Longer intervals are better: an hour does not show the drift over a day. Chooses the window, warm-up and
    rounds that see the smallest change --within a time, and keeps them for profile ci. Exit codes: 0 fine, 2 bad usage,
    3 the runs have too little in common, 4 a case failed, 130 interrupted (finished runs are kept).

    With --meter, one such run is measured beside a meter of the whole machine, and what that shows of the gain of the
    other sensors is kept: later runs on this machine use it.
    """
    from joulemark.suite.cli.support.calibration_output import calibration_document, calibration_text
    from joulemark.suite.cli.support.effort_choice import effort_document

    settings, out = settings_from_context(context, given), given["out"]
    if meter is not None:
        return _calibrate_sensors(context, meter, run, settings, given)
    within_min = WITHIN_MIN if within is None else within
    if not 0 < within_min <= MAX_MIN:
        raise UsageError(f"--within is {within_min:g}: give the minutes of a comparison, more than 0, a week at most.")
    if run:
        if flags := given_flags(context, ["runs", "every", *sorted(settings.keys() - {"allow_estimates"})]):
            raise UsageError(f"{flags[0]} is for measuring: leave it out, or name no runs.")
        kept, code = _load(run, find_runs(out)), 0
    else:
        count = RUNS if runs is None else runs
        kept, code = _measure(settings, count, EVERY_MIN if every is None else every, out)
    if code == 130:
        return code
    document = calibration_document(kept, given["allow_estimates"])
    document["effort"] = effort_document(kept, 60 * within_min)
    print_result(document, given["as_json"], lambda: calibration_text(document))
    return code


def _calibrate_sensors(
    context: typer.Context, meter: str, names: Sequence[str] | None, settings: dict[str, Any], given: Options
) -> int:
    """Compare other sensors with `meter` in the runs `names`, or in one that is measured now."""
    from joulemark.suite.cli.support.meter_calibration import calibrate_sensors, calibration_lines, check_meter

    name, code, out = check_meter(meter), 0, given["out"]
    measuring = sorted(settings.keys() - {"allow_estimates"}) if names else []
    if flags := given_flags(context, ["runs", "every", "within", *measuring]):
        why = (
            "is for measuring" if names and flags[0] not in ("--runs", "--every", "--within") else "is not for --meter"
        )
        raise UsageError(f"{flags[0]} {why}: leave it out.")
    if names:
        kept = _load(names, find_runs(out))
    else:
        kept, code = _measure({**settings, "sensor": [*settings.get("sensor", ()), meter]}, 1, 0.0, out, fewest=1)
    if code == 130:
        return code
    document = calibrate_sensors(kept, name)
    print_result(document, given["as_json"], lambda: ["\n".join(calibration_lines(document))])
    return code


def _load(names: Sequence[str], directory: Path | None) -> list[RunFile]:
    """Return the runs in `names`, each once, in the order they were made."""
    from joulemark.suite.results.store import load

    runs = {run_file.run.id: run_file for run_file in (load(name, directory) for name in names)}
    return sorted(runs.values(), key=lambda run_file: run_file.run.started_at)


def _measure(
    given: dict[str, Any], count: int, every_min: float, out: Path | None, fewest: int | None = None
) -> tuple[list[RunFile], int]:
    """Measure `count` runs; return those that were finished, and the exit code."""
    from joulemark.suite.cli.support.execute import has_failed, measure_run
    from joulemark.suite.plan.plan import new_order_seed

    prepared = _prepare(given, count, every_min, out, fewest)
    run_s = prepared.plan.expected_s()
    expected_s = (count - 1) * max(every_min * 60, run_s) + run_s
    print_message(f"{units.counted(count, 'run')}: about {units.duration(expected_s)}.")
    kept: list[RunFile] = []
    code = 0
    for number in range(1, count + 1):
        started = time.monotonic()
        print_message(f"Run {number} of {count}")
        shuffled = replace(prepared, plan=replace(prepared.plan, order_seed=new_order_seed()))
        try:
            run_file, path, interrupted = measure_run(shuffled)
            print_message(f"Run file: {path}")
            if not interrupted:
                kept.append(run_file)
                code = 4 if has_failed(run_file) else code
            if not interrupted and number < count:
                _wait_until(started + every_min * 60, number + 1)
        except (KeyboardInterrupt, StoppedError):
            interrupted = True
        if interrupted:
            print_message(
                "Interrupted. `joulemark calibrate RUN...` reads the runs that are kept, "
                f"{len(kept)} of {count} from this calibration."
            )
            return kept, 130
    return kept, code


def _prepare(given: dict[str, Any], count: int, every_min: float, out: Path | None, fewest: int | None) -> PreparedRun:
    """Return the run to repeat. UsageError for less than the `fewest` runs or rounds; by default, that show drift."""
    from joulemark.suite.cli.support.prepare import prepare_run
    from joulemark.suite.stats.drift import MIN_RUNS

    if count < (fewest or MIN_RUNS):
        raise UsageError(f"--runs is {count}: drift between runs takes at least {MIN_RUNS} of them.")
    if not 0 <= every_min < MAX_MIN:
        raise UsageError(f"--every is {every_min:g}: give minutes, from 0 (one run after the other) to a week.")
    prepared = prepare_run(_with_defaults(given), out=out, calibrated=False)
    if prepared.plan.rounds < 2:
        raise UsageError("--rounds is 1: variation within a run takes at least 2 rounds.")
    return prepared


def _with_defaults(given: dict[str, Any]) -> dict[str, Any]:
    """Return `given` with the default profile, rounds and window, unless an option, the environment or the file has
    them."""
    from joulemark.suite import settings
    from joulemark.suite.cli.support.prepare import parse_interpreters
    from joulemark.suite.plan.profiles import find_profile

    interpreters = parse_interpreters(given.get("python") or ())
    resolved = settings.resolve({**given, "python": interpreters})
    chosen = resolved.model_fields_set
    defaults: dict[str, Any] = {} if "profile" in chosen else {"profile": PROFILE}
    if "window_s" not in chosen and ("profile" not in chosen or find_profile(resolved).calibrated):
        defaults["window_s"] = {"cpu": WINDOW_S}
    if chosen.isdisjoint({"rounds", "profile"}):
        defaults["rounds"] = ROUNDS
    return {**defaults, **given}


def _wait_until(monotonic_s: float, number: int) -> None:
    """Wait for the start of run `number`."""
    left_s = monotonic_s - time.monotonic()
    if left_s > 0:
        print_message(f"Run {number} starts in {units.duration(left_s)}.")
        time.sleep(left_s)
