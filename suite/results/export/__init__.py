"""A run in the formats of other people's tools. A format is one file with `render`, and one line here. Pure."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from suite.errors import unknown

if TYPE_CHECKING:
    from suite.results.records import RunFile

    Render = Callable[[RunFile], str]

FORMATS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "pytest-benchmark": ("pytest_benchmark", "render"),
        "bencher": ("bencher", "render"),
        "github-action-benchmark": ("github_action", "render_smaller"),
        "github-action-benchmark-bigger": ("github_action", "render_bigger"),
        "junit": ("junit", "render"),
        "csv": ("csv", "render"),
        "markdown": ("markdown", "render"),
    }
)
"""Name -> its module here, and its function there."""


def renderer(name: str) -> Render:
    """What turns a run file into the text of format `name`. UsageError for one that is not known."""
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    module, function = FORMATS[name]
    found: Render = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return found
