"""`joulemark run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from joulemark.suite.cli.arguments import given_flags, settings_from_context
from joulemark.suite.cli.option_groups import Measurement
from joulemark.suite.cli.options import EFFORT

if TYPE_CHECKING:
    from joulemark.suite.cli.support.prepare import PreparedRun


class Options(Measurement):
    """All options of `run`."""

    latency: Annotated[
        bool,
        typer.Option("--latency", help="Also time single steps, for p50, p95 and p99.", rich_help_panel=EFFORT),
    ]
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 also if a case is not valid (noisy, not steady, ...).")
    ]


def command(context: typer.Context, **given: Unpack[Options]) -> int:
    """Measure: speed, energy and carbon of the selected cases, in rounds of fresh processes.

    Without options: profile quick, 3 minutes on two cores, at most 8 with a GPU. Exit codes: 0 fine; 2 bad usage; 4 all
    trials of a case failed, a case is not valid (with --strict), or nothing was measured; 130 interrupted (what was
    finished is kept; --resume continues).
    """
    from joulemark.suite.cli.support.comparison import read_thresholds
    from joulemark.suite.cli.support.execute import print_plan
    from joulemark.suite.cli.support.prepare import prepare_resumed_run, prepare_run
    from joulemark.suite.system.directories import find_runs

    read_thresholds((), None)  # an error in the settings file is reported now, not when the run is judged
    settings, out = settings_from_context(context, given), given["out"]
    if given["resume"] is None:
        prepared = prepare_run(settings)
    else:
        prepared = prepare_resumed_run(given["resume"], given_flags(context, settings), find_runs(out))
    if given["dry_run"]:
        return print_plan(prepared, given["as_json"])
    return _measure(prepared, out, given["as_json"], report=not given["no_report"])


def _measure(prepared: PreparedRun, out: Path | None, as_json: bool, report: bool) -> int:
    """Measure the run, keep its file, write its page and print its summary; return the exit code."""
    from joulemark.suite.cli.support.execute import has_failed, measure_run, path_document, print_paths
    from joulemark.suite.terminal.console import print_json, print_message
    from joulemark.suite.terminal.run_summary import print_run

    run_file, path, interrupted = measure_run(prepared, out)
    if not as_json:
        print_run(run_file)
    page = print_paths(run_file, path, report)
    if as_json:
        print_json({**run_file.model_dump(mode="json", exclude={"traces"}), **path_document(path, page)})
    if interrupted:
        print_message(f"Interrupted: {run_file.run.id} holds the trials that were finished; continue with --resume.")
        return 130
    if not any(case.status == "ok" for case in run_file.cases):
        print_message("Nothing was measured: no case has a successful trial.")
    return 4 if has_failed(run_file) else 0
