"""From a plan to a run file: what the verbs that measure share."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from joulemark.suite.cli.support.prepare import Prepared
    from joulemark.suite.records import RunFile
    from joulemark.suite.run.run_spec import Undecided


def measured(prepared: Prepared, out: Path | None, undecided: Undecided | None = None) -> tuple[RunFile, Path, bool]:
    """Run the plan with progress on standard error: the run, where it is kept, and whether Ctrl-C ended it.

    StoppedError where that was before the first trial had ended: nothing is kept then.
    """
    from joulemark.suite.carbon.resolve import resolve
    from joulemark.suite.cli.support.carbon_inputs import service, settled
    from joulemark.suite.errors import StoppedError
    from joulemark.suite.records import read
    from joulemark.suite.results.history.parquet import keep
    from joulemark.suite.run import runner
    from joulemark.suite.run.run_spec import RunSpec
    from joulemark.suite.settings import runs_directory
    from joulemark.suite.terminal import console
    from joulemark.suite.terminal.progress import show_progress

    grid = service(prepared.settings)
    emissions, notices = resolve(prepared.settings, datetime.now(UTC), grid)
    order = RunSpec(
        plan=prepared.plan,
        settings=prepared.settings,
        machine=prepared.machine,
        emissions=emissions,
        notices=notices,
        command=("joulemark", *sys.argv[1:]),
        sensors=prepared.settings.sensor,
        directory=prepared.directory or runs_directory(out).absolute(),
        resumed=prepared.resumed,
        sides=prepared.sides,
        undecided=undecided,
    )
    interrupted = False
    with show_progress(console.ERR) as watcher:
        try:
            path = runner.measure(order, watcher)
        except runner.InterruptedRun as stop:
            path, interrupted = stop.path, True
    run_file = read(path) if interrupted else settled(path, grid)
    if interrupted and not any(case.trials for case in run_file.cases):
        path.unlink()  # it would be the latest run, with nothing in it
        raise StoppedError("interrupted before the first trial had ended: nothing is kept.")
    keep(path, run_file)
    return run_file, path, interrupted


def dry_run(prepared: Prepared, as_json: bool) -> int:
    """Show what would be run; exit code 0."""
    from joulemark.suite.carbon.resolve import resolve
    from joulemark.suite.terminal import console
    from joulemark.suite.terminal.listings import cases_table

    resolve(prepared.settings, datetime.now(UTC))  # what cannot be is said now, not when the run begins
    document = prepared.plan.outline()
    if as_json:
        console.print_json(document)
    else:
        console.print_text(cases_table(document))
    return 0


def page(run_file: RunFile, path: Path) -> Path:
    """Write the page of a run beside its file; where it is."""
    from joulemark.reports import html
    from joulemark.suite.carbon.ember import countries

    return html.write([run_file], path.with_suffix(".html"), zones=tuple(countries().values()))


def failed(run_file: RunFile) -> bool:
    """Whether a case failed, all were skipped, or, with `--strict`, one is not valid: exit code 4."""
    from joulemark.suite.notices import INVALIDATING

    statuses = {case.status for case in run_file.cases}
    if "failed" in statuses or "ok" not in statuses:
        return True
    invalid = any(notice.code in INVALIDATING for case in run_file.cases for notice in case.notices)
    return run_file.settings.strict and invalid
