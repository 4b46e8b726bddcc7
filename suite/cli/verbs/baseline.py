"""`joulemark baseline`: runs kept under a name, for `joulemark check --baseline NAME`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from joulemark.suite.cli import completion, options
from joulemark.suite.errors import UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_message, print_result
from joulemark.suite.terminal.tables import AdaptiveTable, Column

app = typer.Typer()
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Letters, digits, `.`, `_` and `-`: main, v1.2, nightly.",
        autocompletion=completion.among(completion.saved_baselines),
    ),
]


@app.callback(invoke_without_command=True)
def verbs(context: typer.Context) -> None:
    """Keep runs under a name, for `check --baseline NAME`."""
    if context.invoked_subcommand is None:
        raise UsageError("baseline what? save NAME [RUN], list, or remove NAME.")


@app.command()
def save(name: Name, run: options.RunName = "latest", out: options.Out = None) -> None:
    """Keep a copy of a run as a baseline, replacing an older one of that name."""
    from joulemark.suite.results import baselines
    from joulemark.suite.results.store import load

    run_file = load(run, find_runs(out))
    path = baselines.save(name, run_file)
    print_message(f"Baseline {name} is run {run_file.run.id}: {path}")


@app.command()
def remove(name: Name) -> None:
    """Remove a baseline; the run that it was saved from stays."""
    from joulemark.suite.results import baselines

    print_message(f"Removed {baselines.remove(name)}")


@app.command(name="list")
def list_(as_json: options.Json = False) -> None:
    """List the baselines that are kept."""
    from joulemark.suite.results import baselines

    rows = [
        {
            "name": baseline.name,
            "path": str(baseline.path),
            "run": run_file.run.id if run_file else None,
            "started_at": run_file.run.started_at if run_file else None,
            "hostname": run_file.machine.hostname if run_file else None,
            "cases": sum(case.status == "ok" for case in run_file.cases) if run_file else None,
            "error": baseline.reason,
        }
        for baseline in baselines.saved()
        for run_file in [baseline.run_file]
    ]
    print_result({"baselines": rows}, as_json, lambda: [_table(rows)])


def _table(rows: Sequence[Mapping[str, object]]) -> RenderableType:
    if not rows:
        return Text("No baseline is kept yet. `joulemark baseline save NAME` makes one of the latest run.")
    table = AdaptiveTable("Name", "Run", "Host", Column("Cases", wrap=True))
    for row in rows:
        if row["error"]:
            table.add(str(row["name"]), Text("unreadable", style="red"), "", str(row["error"]))
        else:
            table.add(*(str(row[key]) for key in ("name", "run", "hostname", "cases")))
    return table
