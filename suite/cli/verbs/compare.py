"""`joulemark compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from pathlib import Path

    from joulemark.suite.cli.support.comparison import Compared
    from joulemark.suite.stats.thresholds import Thresholds


def command(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="A path, an id, a unique beginning of one, or latest.")],
    b: Annotated[
        str | None, typer.Argument(metavar="B", help="The other run; left out, A is compared with itself.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="FACTOR",
            help="The one factor that may differ: machine, device, framework, mode, precision, threads, batch-size, "
            "allocator or arm.",
            rich_help_panel=options.VERDICT,
        ),
    ] = None,
    threshold: options.Threshold = None,
    allow_estimates: options.AllowEstimates = False,
    markdown: options.Markdown = False,
    out: options.Out = None,
    as_json: options.Json = False,
) -> None:
    """Ratios B/A of two runs, or of one by a factor, with intervals and verdicts.

    Intervals are adjusted for the number of comparisons and hold what changes from run to run on one machine. Exit
    codes: 0 fine, whatever the verdicts; 2 bad usage or input; 3 nothing may be compared.
    """
    given = options.settings_from_context(context, locals())
    from joulemark.suite import settings
    from joulemark.suite.cli.support.comparison import document, one_format, tell_unmatched, thresholds
    from joulemark.suite.stats.metrics import METRICS

    one_format(as_json, markdown)
    limits = thresholds(tuple(METRICS), threshold)
    allowed = settings.resolve(given).allow_estimates
    found = _compared(a, b, by, limits, settings.runs_directory(out), allowed)
    tell_unmatched(limits, found.b)
    from joulemark.suite.cli.support import comparison_text
    from joulemark.suite.terminal import console

    if as_json:
        console.print_json(document(found))
    elif markdown:
        title = f"Joulemark: {found.b.run.id} against {found.a.run.id}"
        print(comparison_text.markdown(found, title, [comparison_text.counted(found.found)]), end="")
    else:
        comparison_text.show(found)


def _compared(
    a: str, b: str | None, by: str | None, limits: Thresholds, directory: Path, allow_estimates: bool
) -> Compared:
    """The comparison of the runs that were named. UsageError for one run without a factor."""
    from joulemark.suite.cli.support.comparison import compared
    from joulemark.suite.errors import UsageError
    from joulemark.suite.results.store import load
    from joulemark.suite.stats.gate import nothing_comparable

    one = load(a, directory)
    other = load(b, directory) if b is not None else one
    if by is None and one.run.id == other.run.id:
        what = "B is missing" if b is None else f"A and B are one run, {one.run.id}"
        raise UsageError(f"{what}: name two runs, or say --by what the cases of one differ.")
    found = compared(one, other, by, limits, directory, allow_estimates)
    if all(comparison.ratio is None for comparison in found.found.comparisons):
        reasons = [comparison.reason or "" for comparison in found.found.comparisons]
        raise nothing_comparable(one, other, reasons or found.found.missing_reasons.values(), by)
    return found
