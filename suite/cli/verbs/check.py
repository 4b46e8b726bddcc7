"""`joulemark check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from joulemark.suite.cli import completion, options
from joulemark.suite.cli.arguments import given_flags, settings_from_context
from joulemark.suite.cli.option_groups import Selection
from joulemark.suite.cli.options import verdict
from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.system.directories import find_runs

if TYPE_CHECKING:
    from pathlib import Path

    from joulemark.suite.cli.support.compare.documents import RunComparison
    from joulemark.suite.cli.support.gate_output import GateOptions
    from joulemark.suite.stats.thresholds import Thresholds

JUDGED = ("throughput", "energy")
"""The metrics judged by default, besides the work of a step."""


class LiveBaselineOptions(Selection):
    """Options of a measurement with --baseline-python."""

    max_rounds: options.MaxRounds
    zone: options.Zone
    offline: options.Offline
    sensor: options.Sensor


class Options(LiveBaselineOptions):
    """All options of `check`."""

    baseline: Annotated[
        str | None,
        verdict(
            metavar="A",
            help="A path, a saved name, a run, or history: the kept runs of this machine with the same selection.",
            autocompletion=completion.among(completion.baselines),
        ),
    ]
    baseline_python: Annotated[
        str | None,
        verdict(
            metavar="PYTHON",
            help="Instead of a kept run: measure the baseline now, with this interpreter, turn by turn with the one "
            "running this. Takes the selection and effort of `run`.",
        ),
    ]
    threshold: options.Threshold
    bisect: Annotated[
        int | None,
        verdict(
            metavar="STEPS",
            min=1,
            max=100,
            help="For `git bisect run`: measure the commit that is checked out, with the selection of the baseline; "
            "exit with 0 good, 1 bad, 125 to skip it, 128 to stop. So many steps share the error level.",
        ),
    ]
    advisory: Annotated[bool, verdict("--advisory", help="Report as usual, but exit with 0 instead of 1 and 4.")]
    strict: Annotated[
        bool, verdict("--strict", help="Treat cases that are not valid (noisy, throttled, not steady) as in doubt.")
    ]
    allow_estimates: options.AllowEstimates
    markdown: options.Markdown
    out: options.Out
    as_json: options.Json


def command(
    context: typer.Context,
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="B",
            help="The run to judge: a path, an id, a unique beginning. (default: latest)",
            autocompletion=options.a_run,
        ),
    ] = None,
    **given: Unpack[Options],
) -> int:
    """The gate for CI: has a run become slower or less efficient than a baseline by more than a threshold?

    Throughput and energy are judged, at 5 %, and what a step does, exactly, unless --threshold or the settings file
    says otherwise. Exit codes: 0 no; 1 a regression: something is certainly worse, and possibly by the threshold or
    more, or a step does more work and is not faster; 2 bad usage or input; 3 no baseline, or nothing comparable; 4 a
    case failed, is in doubt, or was lost since the baseline. --advisory turns 1 and 4 into 0.
    """
    from joulemark.suite import settings
    from joulemark.suite.cli.support.compare.documents import check_output_format, read_thresholds
    from joulemark.suite.cli.support.gate_output import GateOptions, check_against_live_baseline, report_gate
    from joulemark.suite.stats.thresholds import JUDGED_COUNTS

    check_output_format(given["as_json"], given["markdown"])
    thresholds = read_thresholds((*JUDGED, *JUDGED_COUNTS), given["threshold"])
    steps = given["bisect"]
    gate_options = GateOptions(thresholds, given["advisory"], given["markdown"], given["as_json"], steps)
    if steps is not None:
        return _bisect_step(context, given, run, gate_options)
    chosen, out, baseline = settings_from_context(context, given), given["out"], given["baseline"]
    if given["baseline_python"] is not None:
        if baseline is not None or run is not None:
            extra = "--baseline" if baseline is not None else f"the run {run!r}"
            raise UsageError(f"--baseline-python measures both sides now: leave out {extra}.")
        return check_against_live_baseline(chosen, given["baseline_python"], gate_options, out)
    _refuse_selection(context)
    if baseline is None:
        raise UsageError("--baseline is missing: give a path, a saved name, a run, or history.")
    resolved, directory = settings.resolve(chosen), find_runs(out)
    comparison, path = _compare(baseline, run or "latest", thresholds, directory, resolved.allow_estimates)
    kept_as = path if directory is not None and path.parent.resolve() == directory.resolve() else None
    return report_gate(comparison, gate_options, resolved.allow_estimates, resolved.strict, kept_as)


def _refuse_selection(context: typer.Context, *but: str) -> None:
    """Raise UsageError for options of a measurement, where a kept run has a selection; `but` may be given."""
    if flags := given_flags(context, LiveBaselineOptions.__annotations__.keys() - set(but)):
        raise UsageError(f"{flags[0]} is for measuring with --baseline-python; a kept run has its own selection.")


def _bisect_step(context: typer.Context, given: Options, run: str | None, gate_options: GateOptions) -> int:
    """Measure and judge the commit that is checked out; return the exit code of a gate."""
    from joulemark.suite.cli.support.gate_output import check_against_kept_baseline, check_against_live_baseline
    from joulemark.suite.results.baselines import HISTORY
    from joulemark.workloads.errors import BrokenPackageError

    baseline, python, out = given["baseline"], given["baseline_python"], given["out"]
    if (baseline is None) == (python is None) or baseline == HISTORY:
        raise UsageError(
            "--bisect needs one run of the good commit, --baseline A, or its environment, --baseline-python."
        )
    if run is not None or given["advisory"]:
        extra = "--advisory" if run is None else f"the run {run!r}"
        raise UsageError(f"--bisect measures and decides by itself: leave out {extra}.")
    try:
        if baseline is None and python is not None:
            return check_against_live_baseline(settings_from_context(context, given), python, gate_options, out)
        _refuse_selection(context, "max_rounds")
        return check_against_kept_baseline(str(baseline), given["max_rounds"], gate_options, out)
    except BrokenPackageError as error:
        raise NotComparableError(f"{error} No workload can be measured at this commit.") from None


def _compare(
    baseline: str, run: str, thresholds: Thresholds, directory: Path | None, allow_estimates: bool
) -> tuple[RunComparison, Path]:
    """Return the comparison of a run with its baseline, and the path of the run.

    NotComparableError if there is no baseline, UsageError if it is the run itself.
    """
    from joulemark.suite.cli.support.compare.documents import compare_runs
    from joulemark.suite.results import baselines, past_runs, store
    from joulemark.suite.stats.gate import CONFIDENCE

    # The baseline first: without one it does not matter which run was to be judged.
    saved = None if baseline == baselines.HISTORY else baselines.load(baseline, directory)
    path = store.find(run, directory)
    b = store.load_path(path)
    a = saved or past_runs.earlier_runs(b, past_runs.runs_of_machine(b, directory))[-1]
    if a.run.id == b.run.id:
        raise UsageError(f"the baseline {baseline!r} is the run to judge, {b.run.id}: measure again, or name another.")
    return compare_runs(a, b, None, thresholds, directory, allow_estimates, saved is None, CONFIDENCE), path
