"""`joulemark check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from joulemark.suite.cli.support.comparison import Compared
    from joulemark.suite.stats.thresholds import Thresholds

JUDGED = ("throughput", "energy")
"""What is judged unless thresholds say otherwise."""

Advisory = Annotated[
    bool,
    typer.Option("--advisory", help="Say all, but exit with 0 instead of 1 and 4.", rich_help_panel=options.VERDICT),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="What is not valid (noisy, throttled, not steady) is in doubt.",
        rich_help_panel=options.VERDICT,
    ),
]


def command(
    context: typer.Context,
    run: Annotated[
        str | None,
        typer.Argument(metavar="B", help="The run to judge: a path, an id, a unique beginning. (default: latest)"),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="A",
            help="A path, a name it was saved under, a run, or history: the kept runs of this machine and selection.",
            rich_help_panel=options.VERDICT,
        ),
    ] = None,
    baseline_python: Annotated[
        str | None,
        typer.Option(
            metavar="PYTHON",
            help="Instead of a kept run: measure the baseline now, with this interpreter, turn by turn with the one "
            "that runs this. Takes the selection and effort of `run`.",
            rich_help_panel=options.VERDICT,
        ),
    ] = None,
    threshold: options.Threshold = None,
    advisory: Advisory = False,
    strict: Strict = False,
    allow_estimates: options.AllowEstimates = False,
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
    zone: options.Zone = None,
    offline: options.Offline = False,
    sensor: options.Sensor = None,
    markdown: options.Markdown = False,
    out: options.Out = None,
    as_json: options.Json = False,
) -> int:
    """The gate for CI: has a run become slower, or hungrier, than a baseline by more than a threshold?

    Throughput and energy are judged, at 5 %, unless --threshold or the settings file says otherwise. Exit codes: 0 no;
    1 a regression: a whole interval lies beyond the threshold; 2 bad usage or input; 3 no baseline, or nothing
    comparable; 4 a case failed, is in doubt, or was lost since the baseline. --advisory turns 1 and 4 into 0.
    """
    given = options.settings_from_context(context, locals())
    from joulemark.suite import settings
    from joulemark.suite.cli.support import live_baseline
    from joulemark.suite.cli.support.comparison import one_format, thresholds
    from joulemark.suite.cli.support.gate_output import Terms, passed
    from joulemark.suite.errors import UsageError

    one_format(as_json, markdown)
    terms = Terms(thresholds(JUDGED, threshold), advisory, markdown, as_json)
    if baseline_python is not None:
        if baseline is not None or run is not None:
            extra = "--baseline" if baseline is not None else f"the run {run!r}"
            raise UsageError(f"--baseline-python measures both sides now: leave out {extra}.")
        return live_baseline.check(given, baseline_python, terms, out)
    if selected := options.given_flags(context, live_baseline.SELECTION):
        raise UsageError(f"{selected[0]} selects what --baseline-python measures; a kept run is as it is.")
    if baseline is None:
        raise UsageError("--baseline is missing: give a path, a saved name, a run, or history.")
    chosen = settings.resolve(given)
    found = _compared(baseline, run or "latest", terms.limits, settings.runs_directory(out), chosen.allow_estimates)
    return passed(found, terms, chosen.allow_estimates, chosen.strict)


def _compared(baseline: str, run: str, limits: Thresholds, directory: Path, allow_estimates: bool) -> Compared:
    """The run against its baseline. NotComparableError where there is none, UsageError for one that is the run."""
    from joulemark.suite.cli.support.comparison import compared
    from joulemark.suite.errors import UsageError
    from joulemark.suite.results import baselines, past_runs, store

    # The baseline goes first: where there is none, nobody cares which run was to be judged.
    named = None if baseline == baselines.HISTORY else baselines.load(baseline, directory)
    b = store.load(run, directory)
    a = named or past_runs.earlier_runs(b, past_runs.runs_of_machine(b, directory))[-1]
    if a.run.id == b.run.id:
        raise UsageError(f"the baseline {baseline!r} is the run to judge, {b.run.id}: measure again, or name another.")
    return compared(a, b, None, limits, directory, allow_estimates, history=named is None)
