"""Standard output and standard error: text for people, and one JSON object for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console, RenderableType

SCHEMA_VERSION = 1
"""Version of the JSON objects other than run files."""

PIPED_WIDTH = 200
"""Characters in a line of text that is written to a file or pipe."""


class PipeConsole(Console):
    """A console that leaves BrokenPipeError to `suite.cli.app`: rich would exit with 1, the code of a regression."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


OUT = PipeConsole(soft_wrap=False)
ERR = PipeConsole(stderr=True)


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    print(json.dumps({"schema_version": SCHEMA_VERSION, **document}, indent=1))


def print_text(*parts: RenderableType) -> None:
    """Print on standard output, without styles and cropping where it is piped."""
    console = OUT if OUT.is_terminal else PipeConsole(width=PIPED_WIDTH)
    for part in parts:
        console.print(part, highlight=False, crop=False)


def print_result(document: Mapping[str, Any], as_json: bool, render: Callable[[], Iterable[RenderableType]]) -> None:
    """Print `document` as JSON, or else the parts that `render` returns."""
    if as_json:
        print_json(document)
    else:
        print_text(*render())


def print_message(text: str) -> None:
    """Print a line on standard error; bytes of a file name that are not UTF-8 appear as `\\xff`."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    ERR.print(text, highlight=False, markup=False, soft_wrap=True)
