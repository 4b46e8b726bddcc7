"""A run against the reference machines, for the terminal and `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from joulemark.suite.records import RunFile
from joulemark.suite.results.references.kept import Reference
from joulemark.suite.stats.machines import text
from joulemark.suite.stats.machines.index import indices
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.console import print_text
from joulemark.suite.trial.frameworks import FRAMEWORKS


def index_lines(reference: Reference, run_file: RunFile) -> list[str]:
    """Return the indices of the run in sentences; none where it has no case of a basket."""
    found = text.grouped(indices(reference.run_file, run_file))
    lines = text.sentences(found, f"{reference.title} ({reference.name})", _title)
    if lines and reference.caveat:
        lines[0] += f" {reference.name} is {reference.caveat}."
    return [*reference.own_run_sentences(run_file), *lines]


def _title(framework: str) -> str:
    return FRAMEWORKS[framework].title if framework in FRAMEWORKS else framework


def print_against(references: Sequence[Reference], run_file: RunFile, first: bool = False) -> None:
    """Print the indices of a run on standard output; nothing where it has no case of a basket.

    A blank line stands above them, or below them where they are the `first` thing printed.
    """
    lines = [one_line(line) for reference in references for line in index_lines(reference, run_file)]
    if lines:
        print_text(Text("\n".join([*lines, ""] if first else ["", *lines])))


def against_document(references: Sequence[Reference], run_file: RunFile) -> list[dict[str, Any]]:
    """Return the `--json` list of the reference machines with the run's indices against each."""
    return [
        {
            "name": reference.name,
            "title": reference.title,
            "caveat": reference.caveat or None,
            "part_of_it": reference.contains(run_file),
            "indices": [text.document(index) for index in indices(reference.run_file, run_file)],
        }
        for reference in references
    ]
