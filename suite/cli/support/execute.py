"""Measure a prepared run, keep its file and write its page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from joulemark.suite.carbon.ember import countries
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.cli.support.carbon_service import carbon_service, update_intensity
from joulemark.suite.cli.support.prepare import PreparedRun
from joulemark.suite.errors import StoppedError
from joulemark.suite.notices import INVALIDATING
from joulemark.suite.records import RunFile, Settings
from joulemark.suite.results.references.kept import Reference
from joulemark.suite.results.run_files import read
from joulemark.suite.run import runner
from joulemark.suite.run.run_spec import FindUndecided, RunSpec
from joulemark.suite.terminal.console import ERR, print_message, print_result
from joulemark.suite.terminal.listings import cases_table
from joulemark.suite.terminal.progress import show_progress


def measure_run(prepared: PreparedRun, undecided: FindUndecided | None = None) -> tuple[RunFile, Path, bool]:
    """Measure a run with its progress on standard error; return it, its path, and whether Ctrl-C or a signal ended it.

    Raises StoppedError if that was before the end of the first trial: nothing is kept then.
    """
    assert prepared.directory is not None
    emissions, notices = resolve(prepared.settings, datetime.now(UTC), carbon_service(prepared.settings))
    spec = RunSpec(
        plan=prepared.plan,
        settings=prepared.settings,
        machine=prepared.machine,
        emissions=emissions,
        notices=notices,
        command=("joulemark", *sys.argv[1:]),
        sensors=prepared.settings.sensor,
        directory=prepared.directory,
        resumed=prepared.resumed,
        arms=prepared.arms,
        limits=prepared.limits,
        find_undecided=undecided,
    )
    interrupted = False
    with show_progress(ERR) as listener:
        try:
            path = runner.measure(spec, listener)
        except runner.InterruptedRun as stop:
            path, interrupted = stop.path, True
    if interrupted and not any(case.trials for case in read(path).cases):
        path.unlink()  # an empty run would be `latest`
        raise StoppedError("interrupted before the end of the first trial: nothing is kept.")
    run_file = keep(path, prepared.settings, ask_service=not interrupted)
    if not (interrupted or run_file.run.complete):
        print_message(f"Run {run_file.run.id} is not complete: trials were lost. Continue with --resume.")
    return run_file, path, interrupted


def keep(path: Path, settings: Settings, ask_service: bool = True) -> RunFile:
    """Return the run file at `path`, with its rows beside it, and the intensity of the hours that it took."""
    from joulemark.suite.results.history import parquet

    run_file = update_intensity(path, carbon_service(settings)) if ask_service else read(path)
    parquet.keep(path, run_file)
    return run_file


def print_plan(prepared: PreparedRun, as_json: bool) -> int:
    """Print what would be run; return exit code 0."""
    document = prepared.plan.outline()
    print_result(document, as_json, lambda: [cases_table(document)])
    return 0


def write_page(run_file: RunFile, path: Path, references: Sequence[Reference] = (), price: float | None = None) -> Path:
    """Write the page of the run at `path` beside it, for this user alone as that is; return the page's path."""
    from joulemark.reports import html

    zones = tuple(countries().values())
    return html.write(
        [run_file], path.with_suffix(".html"), zones=zones, private=True, references=references, price=price
    )


def print_paths(
    run_file: RunFile, path: Path, report: bool, references: Sequence[Reference] = (), price: float | None = None
) -> Path | None:
    """Print where the run is kept, and write its page if `report`; return the page's path."""
    print_message(f"Run file: {path}")
    page = write_page(run_file, path, references, price) if report else None
    if page is not None:
        print_message(f"Report:   {page}")
    return page


def path_document(path: Path, page: Path | None) -> dict[str, str | None]:
    """Return the `--json` keys for the run file and its page."""
    return {"path": str(path), "report": str(page) if page else None}


def has_failed(run_file: RunFile) -> bool:
    """Return whether the exit code is 4: a case failed, none is ok, trials are missing or, with `--strict`, a case is
    not valid."""
    statuses = {case.status for case in run_file.cases}
    if "failed" in statuses or "ok" not in statuses or not run_file.run.complete:
        return True
    invalid = any(notice.code in INVALIDATING for case in run_file.cases for notice in case.notices)
    return run_file.settings.strict and invalid
