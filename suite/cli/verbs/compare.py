"""`joulemark compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from joulemark.suite.cli import completion, options
from joulemark.suite.cli.arguments import settings_from_context
from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_document, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from joulemark.suite.cli.support.compare.documents import RunComparison
    from joulemark.suite.stats.thresholds import Thresholds


def command(
    context: typer.Context,
    a: Annotated[
        str,
        typer.Argument(
            metavar="A", help="A path, an id, a unique beginning of one, or latest.", autocompletion=options.a_run
        ),
    ],
    b: Annotated[
        str | None,
        typer.Argument(
            metavar="B", help="The other run; without it A is compared with itself.", autocompletion=options.a_run
        ),
    ] = None,
    by: Annotated[
        str | None,
        options.verdict(
            metavar="FACTOR",
            help="The one factor that may differ: machine, device, framework, mode, precision, threads, batch-size, "
            "allocator or arm.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        options.verdict(
            metavar="NAME",
            help="A reference machine instead of B: its cases are A of the ratios. See `references`.",
            autocompletion=completion.among(completion.references),
        ),
    ] = None,
    threshold: options.Threshold = None,
    allow_estimates: options.AllowEstimates = False,
    markdown: options.Markdown = False,
    out: options.Out = None,
    as_json: options.Json = False,
) -> None:
    """Ratios B/A of two runs, or of one by a factor, with intervals and verdicts.

    Intervals are adjusted for the number of comparisons and include the drift between runs of one machine. Exit
    codes: 0 fine, whatever the verdicts; 2 bad usage or input; 3 nothing may be compared.
    """
    from joulemark.suite import settings
    from joulemark.suite.cli.support.compare import text
    from joulemark.suite.cli.support.compare.against import against_document, index_lines, print_against
    from joulemark.suite.cli.support.compare.documents import (
        check_output_format,
        comparison_document,
        read_thresholds,
        warn_unmatched_patterns,
    )
    from joulemark.suite.results.references.kept import load
    from joulemark.suite.stats.metrics import METRICS

    check_output_format(as_json, markdown)
    thresholds = read_thresholds(tuple(METRICS), threshold)
    given = settings_from_context(context, {"allow_estimates": allow_estimates})
    allowed = settings.resolve(given).allow_estimates
    if against is not None:
        _check_alone(b, by)
        comparison = _compare_with_reference(a, against, thresholds, find_runs(out), allowed)
    else:
        comparison = _compare(a, b, by, thresholds, find_runs(out), allowed)
    warn_unmatched_patterns(thresholds, comparison.b)
    if as_json:
        extra = {} if against is None else {"against": against_document([load(against)], comparison.b)}
        print_json({**comparison_document(comparison), **extra})
    elif markdown:
        title = f"Joulemark: {comparison.b.run.id} against {comparison.a.run.id}"
        counts = text.verdict_counts(comparison.result)
        indices = [] if against is None else index_lines(load(against), comparison.b)
        print_document(text.markdown(comparison, title, [*indices, counts]))
    else:
        if against is not None:
            print_against([load(against)], comparison.b, first=True)
        text.print_comparison(comparison)


def _compare(
    a: str, b: str | None, by: str | None, thresholds: Thresholds, directory: Path | None, allow_estimates: bool
) -> RunComparison:
    """Compare two runs, or one with itself. UsageError for one run without a factor; NotComparableError."""
    from joulemark.suite.cli.support.compare.documents import compare_runs
    from joulemark.suite.results.store import load

    run_a = load(a, directory)
    run_b = load(b, directory) if b is not None else run_a
    if by is None and run_a.run.id == run_b.run.id:
        problem = "B is missing" if b is None else f"A and B are the same run, {run_a.run.id}"
        raise UsageError(f"{problem}: name two runs, or give --by for the cases of one run.")
    return _with_anything(compare_runs(run_a, run_b, by, thresholds, directory, allow_estimates))


def _check_alone(b: str | None, by: str | None) -> None:
    """Raise UsageError if a second run or a factor stands beside a reference machine."""
    if b is not None or by is not None:
        raise UsageError(f"--against stands in place of {'B' if b is not None else '--by'}: give one of them.")


def _compare_with_reference(
    run: str, name: str, thresholds: Thresholds, directory: Path | None, allow_estimates: bool
) -> RunComparison:
    """Compare a run with the reference machine `name`. UsageError for an unknown name; NotComparableError."""
    from joulemark.suite.cli.support.compare.documents import RunComparison
    from joulemark.suite.results.references.kept import load as load_reference
    from joulemark.suite.results.store import load
    from joulemark.suite.stats.machines.compared import PER_ITEM, compare_with_reference

    kept = load_reference(name)
    reference, run_file = kept.run_file, load(run, directory)
    metrics = [metric for metric in thresholds.metrics() if metric in PER_ITEM]
    result = compare_with_reference(reference, run_file, thresholds, metrics, allow_estimates)
    if run_file.cases and len(result.only_b) == len(run_file.cases):
        raise NotComparableError(kept.none_of(len(run_file.cases), "this run's"))
    return _with_anything(RunComparison(reference, run_file, "machine", result))


def _with_anything(comparison: RunComparison) -> RunComparison:
    """Return `comparison`. NotComparableError if it compares nothing."""
    from joulemark.suite.stats.gate import nothing_comparable

    comparisons = comparison.result.comparisons
    counted = any(each.verdict != "not comparable" for each in comparison.result.counts)
    if not counted and all(each.ratio is None for each in comparisons):
        reasons = [each.reason or "" for each in comparisons]
        reasons = reasons or list(comparison.result.missing_reasons.values())
        raise nothing_comparable(comparison.a, comparison.b, reasons, comparison.by)
    return comparison
