"""`joulemark export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from joulemark.suite.cli import completion, options
from joulemark.suite.results.export import FORMATS
from joulemark.suite.system.directories import find_runs
from joulemark.suite.system.text import printable
from joulemark.suite.terminal.console import print_message


def command(
    run: options.RunName,
    format: Annotated[
        str, typer.Option("--format", help=f"{', '.join(FORMATS)}.", autocompletion=completion.fixed(*FORMATS))
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="(default: standard output)")] = None,
    anonymous: options.Anonymous = False,
    out: options.Out = None,
) -> None:
    """Write a run in the format of another tool: a dashboard, a test report, a pull request.

    What was not measured is absent or empty, never 0; junit, csv and markdown state the reasons.
    """
    from joulemark.suite.results.export import renderer
    from joulemark.suite.results.store import load

    render = renderer(format)
    run_file = load(run, find_runs(out))
    if anonymous:
        from joulemark.reports.anonymous import anonymous as without_names

        (run_file,) = without_names([run_file])
    text = printable(render(run_file))
    if output is None:
        print(text, end="")
        return
    from joulemark.suite.records import write_text

    write_text(output, text)
    print_message(f"Wrote {output}")
