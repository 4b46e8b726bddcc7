"""Standard output and standard error: text for people, and one JSON object for programs.

Whatever is printed here goes through `system.text.printable`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from joulemark.suite.system.text import printable

SCHEMA_VERSION = 1
"""Version of the JSON objects other than run files."""

PIPED_WIDTH = 200
"""Characters in a line of text that is written to a file or pipe."""


class SafeConsole(Console):
    """A console that prints no control sequences but its own.

    It leaves BrokenPipeError to `suite.cli.app`: rich would exit with 1, the code of a regression.
    """

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


OUT = SafeConsole(soft_wrap=False)
ERR = SafeConsole(stderr=True)


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    print(json.dumps({"schema_version": SCHEMA_VERSION, **document}, indent=1))


def print_text(*parts: RenderableType) -> None:
    """Print on standard output, without styles and cropping where it is piped."""
    console = OUT if OUT.is_terminal else SafeConsole(width=PIPED_WIDTH)
    for part in parts:
        console.print(part, highlight=False, crop=False)


def print_result(document: Mapping[str, Any], as_json: bool, render: Callable[[], Iterable[RenderableType]]) -> None:
    """Print `document` as JSON, or else the parts that `render` returns."""
    if as_json:
        print_json(document)
    else:
        print_text(*render())


def print_document(text: str) -> None:
    """Print text in the format of another tool on standard output."""
    print(printable(text), end="")


def print_message(text: str) -> None:
    """Print a line on standard error."""
    ERR.print(text, highlight=False, markup=False, soft_wrap=True)
