"""`joulemark job`."""

from __future__ import annotations

from typing import Annotated

import typer

from joulemark.suite.cli import options
from joulemark.suite.errors import UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_result


def command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR|RUN...",
            help="Runs of the job's nodes as `show` takes one, their directory, or the id of a job of `run --on`.",
            autocompletion=options.a_run,
        ),
    ],
    out: options.Out = None,
    as_json: options.Json = False,
) -> None:
    """Add up one job of several nodes or ranks from the run files of its nodes.

    Every joule is counted once. The sum is a lower bound where a node has no file, a rank died or a component was not
    read. The network and its switches are never measured.
    """
    from joulemark.suite.cli.named_runs import named_runs
    from joulemark.suite.cluster.job_file import nodes_of
    from joulemark.suite.results.jobs.document import job_document
    from joulemark.suite.results.jobs.total import job_total
    from joulemark.suite.terminal.jobs.table import job_lines, job_table

    found = named_runs(runs, find_runs(out), is_wanted=lambda run_file: run_file.node is not None)
    if not found:
        raise UsageError(
            f"no run file of a job in {', '.join(runs)}. `joulemark run --on` writes one a node, and `Meter.save`, the "
            "callbacks' `save` and `joulemark measure` do in ranks of torchrun, accelerate, srun or mpirun."
        )
    total = job_total(*nodes_of([(str(path), run_file) for path, run_file in found]))
    print_result(job_document(total), as_json, lambda: [job_table(total), "\n".join(job_lines(total))])
