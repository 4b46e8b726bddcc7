"""`joulemark job`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from joulemark.suite.cli import options
from joulemark.suite.errors import JoulemarkError, UsageError
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.console import print_message, print_result

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile


def command(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR|FILES...", help="Run files of the job's nodes, their directory, or a job file of `run --on`."
        ),
    ],
    as_json: options.Json = False,
) -> None:
    """Add up one job of several nodes or ranks from the run files of its nodes.

    Every joule is counted once. The sum is a lower bound where a node has no file, a rank died or a component was not
    read. The network and its switches are never measured.
    """
    from joulemark.suite.cluster.job_file import nodes_of
    from joulemark.suite.results.jobs.document import job_document
    from joulemark.suite.results.jobs.total import job_total
    from joulemark.suite.terminal.jobs import job_lines, job_table

    total = job_total(*nodes_of([pair for path in files for pair in _read(path)]))
    print_result(job_document(total), as_json, lambda: [job_table(total), "\n".join(job_lines(total))])


def _read(path: Path) -> list[tuple[str, RunFile]]:
    """Return the run file at `path`, or those in a directory that are of jobs. UsageError where there is none."""
    from joulemark.suite.cluster import job_file
    from joulemark.suite.results.store import load_path, one_file

    if path.suffix == job_file.SUFFIX:
        return job_file.run_files(job_file.read(path), path.parent)
    if not path.is_dir():
        with one_file(str(path)):
            return [(str(path), load_path(path))]
    found = []
    for file in sorted(path.glob("*.json")):
        try:
            with one_file(str(file)):
                found.append((str(file), load_path(file)))
        except JoulemarkError as error:
            print_message(f"joulemark: left out: {one_line(str(error))}")
    of_jobs = [(name, run_file) for name, run_file in found if run_file.node is not None]
    if not of_jobs:
        raise UsageError(
            f"no run file of a job in {path}. `joulemark run --on` writes one a node, and `Meter.save`, the callbacks' "
            "`save` and `joulemark measure` do in ranks of torchrun, accelerate, srun or mpirun."
        )
    return of_jobs
