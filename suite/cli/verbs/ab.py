"""`joulemark ab`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import given_flags, settings_from_context
from joulemark.suite.cli.option_groups import Measurement
from joulemark.suite.errors import UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_document, print_json, print_message, print_text

if TYPE_CHECKING:
    from joulemark.suite.cli.support.prepare import PreparedRun
    from joulemark.suite.records import RunFile
    from joulemark.suite.stats.thresholds import Thresholds

ARMS = "Arms"
AXES = ("mode", "precision", "batch_size", "threads", "allocator")
"""What an arm can set besides its interpreter."""


def _text(label: str, metavar: str) -> Any:
    return typer.Option(metavar=metavar, help=f"Its {label}.", rich_help_panel=ARMS)


def _number(label: str) -> Any:
    return typer.Option(metavar="N", min=1, help=f"Its {label}.", rich_help_panel=ARMS)


Interpreter = Annotated[
    str | None,
    typer.Option(
        metavar="PYTHON",
        help="Its interpreter, with joulemark installed. (default: the one running this)",
        rich_help_panel=ARMS,
    ),
]
Mode = Annotated[str | None, _text("mode", "MODE")]
Precision = Annotated[str | None, _text("precision", "PRECISION")]
BatchSize = Annotated[int | None, _number("batch size")]
Threads = Annotated[int | None, _number("threads per framework")]
Allocator = Annotated[str | None, _text("allocator, retain or default", "POLICY")]


class Options(Measurement):
    """The options of both arms, and those that the arms share."""

    a: Interpreter
    b: Interpreter
    a_mode: Mode
    b_mode: Mode
    a_precision: Precision
    b_precision: Precision
    a_batch_size: BatchSize
    b_batch_size: BatchSize
    a_threads: Threads
    b_threads: Threads
    a_allocator: Allocator
    b_allocator: Allocator
    max_rounds: options.MaxRounds
    threshold: options.Threshold
    markdown: options.Markdown


def command(context: typer.Context, **given: Unpack[Options]) -> int:
    """Compare two environments, or two settings, measured turn by turn in one run: reliable even on a noisy machine.

    Two torch versions: `--a old/bin/python --b new/bin/python`; two settings: `--a-threads 1 --b-threads 2`. Exit
    codes: 0 fine, 2 bad usage, 3 nothing comparable, 4 a case failed, 130 interrupted (what was finished is kept).
    """
    from joulemark.suite.cli.support.compare.documents import check_output_format, read_thresholds
    from joulemark.suite.cli.support.execute import print_plan
    from joulemark.suite.cli.support.prepare import prepare_run
    from joulemark.suite.cli.support.resumed import find_resumed, finish_resumed, prepare_resumed
    from joulemark.suite.stats.metrics import METRICS

    check_output_format(given["as_json"], given["markdown"])
    thresholds = read_thresholds(tuple(METRICS), given["threshold"])
    settings, arm_options = settings_from_context(context, given), _arm_options(given)
    output = (given["as_json"], given["markdown"], not given["no_report"])
    if given["resume"] is None:
        prepared = prepare_run({**settings, "arms": _arms(context, arm_options)}, not given["dry_run"], given["out"])
    else:
        flags = given_flags(context, {**settings, **arm_options})
        resumed = find_resumed(given["resume"], flags, find_runs(given["out"]), given["dry_run"], "ab")
        if resumed.is_measured:
            return _show(*finish_resumed(resumed), thresholds, *output)
        prepared = prepare_resumed(resumed)
    if _are_equal(prepared):
        print_message("Both arms are equal: any difference is noise.")
    if given["dry_run"]:
        return print_plan(prepared, given["as_json"])
    return _measure(prepared, thresholds, *output)


def _arm_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the arms that were given, by their names: `a`, `b_threads`."""
    names = [name for arm in ("a", "b") for name in (arm, *(f"{arm}_{axis}" for axis in AXES))]
    return {name: given[name] for name in names if given[name] is not None}


def _arms(context: typer.Context, arm_options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of each arm.

    Raises UsageError if there are none, or if an option for both arms is given although each has its own.
    """
    if not arm_options:
        raise UsageError("ab needs what differs: interpreters (--a, --b), or settings (--a-threads, --b-threads, ...).")
    # The settings file is about other runs, and may say anything; an option would be ignored.
    in_both = [axis for axis in AXES if f"a_{axis}" in arm_options and f"b_{axis}" in arm_options]
    if ignored := given_flags(context, in_both):
        raise UsageError(f"{ignored[0]} applies to neither arm, since each has its own: leave it out.")
    return {
        arm: {"python": arm_options.get(arm), **{axis: arm_options.get(f"{arm}_{axis}") for axis in AXES}}
        for arm in ("a", "b")
    }


def _are_equal(prepared: PreparedRun) -> bool:
    """Return whether the arms have the same interpreter, packages and settings."""

    def cases(arm: str) -> list[dict[str, Any]]:
        return [case.model_dump(exclude={"id", "arm"}) for case in prepared.plan.cases if case.arm == arm]

    a, b = (spec.record for spec in prepared.arms.values())
    return a == b and cases("a") == cases("b")


def _measure(prepared: PreparedRun, thresholds: Thresholds, as_json: bool, as_markdown: bool, report: bool) -> int:
    """Measure the run, keep its file, write its page and print the comparison; return the exit code."""
    from joulemark.suite.cli.support.compare.documents import compare_arms
    from joulemark.suite.cli.support.execute import measure_run
    from joulemark.suite.stats.interim_analysis import undecided

    def find_undecided(so_far: RunFile) -> frozenset[str]:
        return undecided(compare_arms(so_far, thresholds, prepared.settings.allow_estimates).result)

    measured = measure_run(prepared, find_undecided)
    return _show(*measured, thresholds, as_json, as_markdown, report)


def _show(
    run_file: RunFile,
    path: Path,
    interrupted: bool,
    thresholds: Thresholds,
    as_json: bool,
    as_markdown: bool,
    report: bool,
) -> int:
    """Write the page of the run and print the comparison; return the exit code."""
    from joulemark.suite.cli.support.compare.documents import compare_arms, comparison_document, warn_unmatched_patterns
    from joulemark.suite.cli.support.compare.text import markdown, print_comparison, verdict_counts
    from joulemark.suite.cli.support.execute import has_failed, path_document, print_paths
    from joulemark.suite.stats.gate import nothing_comparable
    from joulemark.suite.terminal.notices import notice_lines

    comparison = compare_arms(run_file, thresholds, run_file.settings.allow_estimates)
    comparisons = comparison.result.comparisons
    warn_unmatched_patterns(thresholds, run_file)
    if as_markdown:
        title = f"Joulemark: arm B against arm A in {run_file.run.id}"
        print_document(markdown(comparison, title, [verdict_counts(comparison.result)]))
    elif not as_json:
        print_comparison(comparison)
        print_text(*notice_lines(run_file))
    page = print_paths(run_file, path, report)
    if as_json:
        print_json({**comparison_document(comparison), **path_document(path, page)})
    if interrupted:
        print_message(f"Interrupted: {run_file.run.id} holds the trials that were finished; continue with --resume.")
        return 130
    if has_failed(run_file):
        return 4
    if all(each.ratio is None for each in comparisons):
        raise nothing_comparable(run_file, run_file, [each.reason or "" for each in comparisons])
    return 0
