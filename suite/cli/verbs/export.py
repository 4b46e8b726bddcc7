"""`joulemark export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from joulemark.suite.cli import options
from joulemark.suite.results.export import FORMATS

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile


def command(
    run: options.RunName,
    format: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="(default: standard output)")] = None,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Leave out host name, user and paths.")] = False,
    out: options.Out = None,
) -> None:
    """Write a run in the format of another tool: a dashboard, a test report, a pull request.

    What is not measured is absent or empty, never 0; junit, csv and markdown hold the reasons.
    """
    from joulemark.suite.results.export import renderer
    from joulemark.suite.results.store import load
    from joulemark.suite.settings import runs_directory
    from joulemark.suite.terminal import console as terminal

    render = renderer(format)
    run_file = load(run, runs_directory(out))
    text = render(_without_names(run_file) if anonymous else run_file)
    if output is None:
        print(text, end="")
        return
    from joulemark.suite.records import write_text

    write_text(output, text)
    terminal.print_message(f"Wrote {output}")


def _without_names(run_file: RunFile) -> RunFile:
    from joulemark.reports.model import anonymous

    return anonymous(run_file)
