"""`joulemark ab`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from joulemark.suite.cli.support.comparison import Compared
    from joulemark.suite.cli.support.prepare import Prepared
    from joulemark.suite.records import RunFile
    from joulemark.suite.stats.thresholds import Thresholds

ARMS = "Arms"
AXES = ("mode", "precision", "batch_size", "threads", "allocator")
"""What an arm can set beside its interpreter."""


def _word(of: str, metavar: str) -> Any:
    return typer.Option(metavar=metavar, help=f"Its {of}.", rich_help_panel=ARMS)


def _number(of: str) -> Any:
    return typer.Option(metavar="N", min=1, help=f"Its {of}.", rich_help_panel=ARMS)


Interpreter = Annotated[
    str | None,
    typer.Option(
        metavar="PYTHON",
        help="Its interpreter, with joulemark in it. (default: the one that runs this)",
        rich_help_panel=ARMS,
    ),
]
Mode = Annotated[str | None, _word("mode", "MODE")]
Precision = Annotated[str | None, _word("precision", "PRECISION")]
BatchSize = Annotated[int | None, _number("batch size")]
Threads = Annotated[int | None, _number("threads of each framework")]
Allocator = Annotated[str | None, _word("allocator, retain or default", "POLICY")]


def command(
    context: typer.Context,
    a: Interpreter = None,
    b: Interpreter = None,
    a_mode: Mode = None,
    b_mode: Mode = None,
    a_precision: Precision = None,
    b_precision: Precision = None,
    a_batch_size: BatchSize = None,
    b_batch_size: BatchSize = None,
    a_threads: Threads = None,
    b_threads: Threads = None,
    a_allocator: Allocator = None,
    b_allocator: Allocator = None,
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
    max_rounds: options.MaxRounds = None,
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
    threshold: options.Threshold = None,
    allow_estimates: options.AllowEstimates = False,
    markdown: options.Markdown = False,
    out: options.Out = None,
    as_json: options.Json = False,
    no_report: options.NoReport = False,
    dry_run: options.DryRun = False,
    resume: options.Resume = None,
) -> int:
    """Compare two environments, or two settings, measured turn by turn in one run: the honest way on a noisy machine.

    Two torch versions: `--a old/bin/python --b new/bin/python`; two settings: `--a-threads 1 --b-threads 2`. Exit
    codes: 0 fine, 2 bad usage, 3 nothing comparable, 4 a case failed, 130 interrupted (what was finished is kept).
    """
    values = locals()
    given = options.settings_from_context(context, values)
    from joulemark.suite.cli.support import execute
    from joulemark.suite.cli.support.comparison import one_format, thresholds
    from joulemark.suite.cli.support.prepare import prepare, prepare_again
    from joulemark.suite.settings import runs_directory
    from joulemark.suite.stats.metrics import METRICS
    from joulemark.suite.terminal import console

    one_format(as_json, markdown)
    limits = thresholds(tuple(METRICS), threshold)
    if resume is None:
        prepared = prepare({**given, "arms": _arms(values, context)})
    else:
        prepared = prepare_again(
            resume, options.given_flags(context, {**given, **_given(values)}), runs_directory(out), arms=True
        )
    if _alike(prepared):
        console.print_message("Both arms are alike: what differs between them is chance.")
    if dry_run:
        return execute.dry_run(prepared, as_json)
    return _measure(prepared, limits, out, as_json, markdown, report=not no_report)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The arms' options that were given, by their names: `a`, `b_threads`."""
    names = [name for arm in ("a", "b") for name in (arm, *(f"{arm}_{axis}" for axis in AXES))]
    return {name: values[name] for name in names if values[name] is not None}


def _arms(values: Mapping[str, Any], context: typer.Context) -> dict[str, dict[str, Any]]:
    """What was given for each arm. UsageError where that is nothing, or is given for both at once too."""
    from joulemark.suite.errors import UsageError

    given = _given(values)
    if not given:
        raise UsageError("ab needs what differs: interpreters (--a, --b), or settings (--a-threads, --b-threads, ...).")
    # What the settings file says is for other runs; on the command line it would be ignored.
    both = [axis for axis in AXES if f"a_{axis}" in given and f"b_{axis}" in given]
    if ignored := options.given_flags(context, both):
        raise UsageError(f"{ignored[0]} is for neither arm, since each has its own: leave it out.")
    return {
        arm: {"python": given.get(arm), **{axis: given.get(f"{arm}_{axis}") for axis in AXES}} for arm in ("a", "b")
    }


def _alike(prepared: Prepared) -> bool:
    """Whether nothing sets the arms apart."""

    def cases(arm: str) -> list[dict[str, Any]]:
        return [case.model_dump(exclude={"id", "arm"}) for case in prepared.plan.cases if case.arm == arm]

    a, b = (side.arm for side in prepared.sides.values())
    return a == b and cases("a") == cases("b")


def _measure(
    prepared: Prepared, limits: Thresholds, out: Path | None, as_json: bool, markdown: bool, report: bool
) -> int:
    """Run the plan, keep the file, write the page, show the comparison; the exit code."""
    from joulemark.suite.cli.support import comparison, comparison_text
    from joulemark.suite.cli.support.execute import failed, measured, page
    from joulemark.suite.stats.gate import nothing_comparable
    from joulemark.suite.stats.interim_analysis import undecided
    from joulemark.suite.terminal import console
    from joulemark.suite.terminal.notices import notice_lines

    def judged(run_file: RunFile) -> Compared:
        return comparison.by_arm(run_file, limits, prepared.settings.allow_estimates)

    run_file, path, interrupted = measured(prepared, out, lambda so_far: undecided(judged(so_far).found))
    found = judged(run_file)
    comparison.tell_unmatched(limits, run_file)
    if markdown:
        title = f"Joulemark: arm B against arm A in {run_file.run.id}"
        print(comparison_text.markdown(found, title, [comparison_text.counted(found.found)]), end="")
    elif not as_json:
        comparison_text.show(found)
        console.print_text(*notice_lines(run_file))
    console.print_message(f"Run file: {path}")
    shown = page(run_file, path) if report else None
    if shown:
        console.print_message(f"Report:   {shown}")
    if as_json:
        where = {"path": str(path), "report": str(shown) if shown else None}
        console.print_json({**comparison.document(found), **where})
    if interrupted:
        console.print_message(f"Interrupted: {run_file.run.id} holds the trials that were finished; go on with --resume.")
        return 130
    if failed(run_file):
        return 4
    if all(one.ratio is None for one in found.found.comparisons):
        raise nothing_comparable(run_file, run_file, [one.reason or "" for one in found.found.comparisons])
    return 0
