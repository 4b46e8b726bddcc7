"""`joulemark sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from joulemark.suite.cli.arguments import given_flags, settings_from_context
from joulemark.suite.cli.option_groups import Measurement
from joulemark.suite.cli.options import effort, selection
from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_json, print_message

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile


class Options(Measurement):
    """All options of `sweep`."""

    over: Annotated[
        list[str] | None,
        selection(
            metavar="KEY=RANGE",
            help="What to vary: power-limit=300:700:50 (W), clock=900:1980:90 (MHz), batch-size=1:512:x2, "
            "threads=1,2,4, precision=fp32,bf16 or mode=eager,compile. Repeatable: all combinations.",
        ),
    ]
    slowdown: Annotated[
        str | None,
        effort(metavar="PERCENT", help="The speed that the best setting may lose against the default. (default: 5%)"),
    ]
    host_watts: Annotated[
        float | None,
        effort(
            metavar="W",
            help="Power of the machine beyond what its sensors measure: shows the best setting of the whole machine.",
        ),
    ]


def command(context: typer.Context, **given: Unpack[Options]) -> int:
    """Find the setting that needs the least energy: power limits, clocks, batch sizes, threads, precisions, modes.

    All settings take turns in shuffled rounds (10 unless --rounds says otherwise); then the best ones are measured
    against the default in as many rounds of their own. Power limits and clocks need root, and are restored however the
    sweep ends. Where no sensor measures energy, settings are ranked by speed alone, unless --allow-estimates. Exit
    codes: 0 fine, 2 bad usage, 3 nothing comparable, 4 a case failed, 130 interrupted (what was finished is kept;
    --resume continues).
    """
    from joulemark.suite.cli.support.execute import measure_run, print_plan
    from joulemark.suite.cli.support.prepare import prepare_run
    from joulemark.suite.cli.support.resumed import find_resumed, finish_resumed, prepare_resumed
    from joulemark.suite.cli.support.sweep.energy import check_energy
    from joulemark.suite.plan.sweep_ranges import parse_over, parse_slowdown
    from joulemark.suite.stats.sweep.analysis import to_confirm

    settings, out = settings_from_context(context, given), given["out"]
    as_json, report = given["as_json"], not given["no_report"]
    if given["resume"] is None:
        if not given["over"]:
            raise UsageError("sweep needs what to vary, such as --over power-limit=300:700:50 or --over threads=1,2,4.")
        settings["over"] = parse_over(given["over"])
        if given["slowdown"] is not None:
            settings["slowdown"] = parse_slowdown(given["slowdown"])
        prepared = prepare_run(settings, not given["dry_run"], out)
    else:
        flags = given_flags(context, settings)
        resumed = find_resumed(given["resume"], flags, find_runs(out), given["dry_run"], "sweep")
        if resumed.is_measured:
            return _show(*finish_resumed(resumed), as_json, report)
        prepared = prepare_resumed(resumed)
    if (found := check_energy(prepared.settings, prepared.plan.runnable())) is not None:
        print_message(found)
    if given["dry_run"]:
        return print_plan(prepared, as_json)
    return _show(*measure_run(prepared, to_confirm), as_json, report)


def _show(run_file: RunFile, path: Path, interrupted: bool, as_json: bool, report: bool) -> int:
    """Write the page of the sweep and print what it found; return the exit code."""
    from joulemark.suite.cli.support.execute import has_failed, path_document, print_paths
    from joulemark.suite.cli.support.sweep.document import sweep_document
    from joulemark.suite.cli.support.sweep.output import print_sweep
    from joulemark.suite.stats.sweep.analysis import analyse

    found = analyse(run_file)
    if not as_json:
        print_sweep(run_file, found)
    page = print_paths(run_file, path, report)
    if as_json:
        print_json({**sweep_document(found, run_file.settings.slowdown), **path_document(path, page)})
    if interrupted:
        print_message(f"Interrupted: {run_file.run.id} holds the trials that were finished; continue with --resume.")
        return 130
    if has_failed(run_file):
        return 4
    if not any(sweep.choices for sweep in found):
        each = [[sweep.unranked] if sweep.unranked else sweep.reasons[:1] for sweep in found]
        reasons = "; ".join(dict.fromkeys(reason for reasons in each for reason in reasons))
        raise NotComparableError(f"no setting can be called the best: {reasons or 'nothing was measured'}.")
    return 0
