"""`joulemark run`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import given_flags, settings_from_context
from joulemark.suite.cli.option_groups import Cluster, Distribution, Measurement
from joulemark.suite.cli.options import effort
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_json, print_message

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile


class Options(Measurement, Distribution, Cluster):
    """All options of `run`."""

    latency: Annotated[bool, effort("--latency", help="Also time single steps, for p50, p95 and p99.")]
    against: options.Against
    price: options.Price
    track: options.Track
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 also if a case is not valid (noisy, not steady, ...).")
    ]


def command(context: typer.Context, **given: Unpack[Options]) -> int:
    """Measure: speed, energy and carbon of the selected cases, in rounds of fresh processes.

    Without options: profile quick, 5 minutes on two cores, at most 8 with a GPU. Exit codes: 0 fine; 2 bad usage; 4 all
    trials of a case failed, a case is not valid (with --strict), or nothing was measured; 130 interrupted (what was
    finished is kept; --resume continues).
    """
    from joulemark.suite.cli.support.cluster.engine_choice import find_job, is_cluster
    from joulemark.suite.cli.support.compare.documents import read_thresholds
    from joulemark.suite.cli.support.execute import measure_run, print_plan
    from joulemark.suite.cli.support.prepare import prepare_run
    from joulemark.suite.cli.support.resumed import find_resumed, finish_resumed, prepare_resumed
    from joulemark.suite.cli.track import check_track
    from joulemark.suite.results.machine.year import check_price
    from joulemark.suite.results.references.kept import check_names

    check_names(given["against"])
    check_price(given["price"])
    track = check_track(given["track"])
    read_thresholds((), None)  # an error in the settings file is reported now, not when the run is judged
    settings, out = settings_from_context(context, given), given["out"]
    as_json, report, on_nodes = given["as_json"], not given["no_report"], is_cluster(given)
    if (job := find_job(given["resume"], find_runs(out))) is not None:
        from joulemark.suite.cli.support.cluster.measure import resume_on_nodes

        return resume_on_nodes(job, given, given_flags(context, settings))
    if on_nodes and given["resume"] is None:
        from joulemark.suite.cli.support.cluster.measure import measure_on_nodes

        return measure_on_nodes(settings, given)
    if given["resume"] is None:
        prepared = prepare_run(settings, not given["dry_run"], out)
    else:
        flags = given_flags(context, settings)
        resumed = find_resumed(given["resume"], flags, find_runs(out), given["dry_run"])
        if resumed.is_measured:
            return _show(*finish_resumed(resumed), as_json, report, track, given["against"], given["price"])
        prepared = prepare_resumed(resumed)
    if given["dry_run"]:
        return print_plan(prepared, as_json)
    return _show(*measure_run(prepared), as_json, report, track, given["against"], given["price"])


def _show(
    run_file: RunFile,
    path: Path,
    interrupted: bool,
    as_json: bool,
    report: bool,
    track: Sequence[str],
    against: Sequence[str] | None,
    price: float | None,
) -> int:
    """Write the page of the run, print its summary and log it to trackers; return the exit code."""
    from joulemark.suite.cli.support.compare.against import against_document, print_against
    from joulemark.suite.cli.support.execute import has_failed, path_document, print_paths
    from joulemark.suite.cli.track import log_run
    from joulemark.suite.results import run_files
    from joulemark.suite.results.references.kept import load_all
    from joulemark.suite.terminal.run_summary import print_run

    references = load_all(against)
    if not as_json:
        print_run(run_file)
        print_against(references, run_file)
    page = print_paths(run_file, path, report, references, price)
    logged = log_run(track, run_file, path, page)
    if as_json:
        beside = {"against": against_document(references, run_file), "tracked": logged}
        print_json({**run_files.document(run_file), **path_document(path, page), **beside})
    if interrupted:
        print_message(f"Interrupted: {run_file.run.id} holds the trials that were finished; continue with --resume.")
        return 130
    if not any(case.status == "ok" for case in run_file.cases):
        print_message("Nothing was measured: no case has a successful trial.")
    return 4 if has_failed(run_file) else 0
