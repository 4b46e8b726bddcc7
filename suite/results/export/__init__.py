"""A run in the formats of other people's tools. A format is one file with `render`, and one line here. Pure."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from joulemark.suite.errors import unknown

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile

    Render = Callable[[RunFile], str]

FORMATS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "pytest-benchmark": ("joulemark.suite.results.export.pytest_benchmark", "render"),
        "bencher": ("joulemark.suite.results.export.bencher", "render"),
        "github-action-benchmark": ("joulemark.suite.results.export.github_action", "render_smaller"),
        "github-action-benchmark-bigger": ("joulemark.suite.results.export.github_action", "render_bigger"),
        "junit": ("joulemark.suite.results.export.junit", "render"),
        "csv": ("joulemark.suite.results.export.csv", "render"),
        "markdown": ("joulemark.reports.markdown", "render_comment"),
    }
)
"""Name -> its module, and the function there."""


def renderer(name: str) -> Render:
    """What turns a run file into the text of format `name`. UsageError for one that is not known."""
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    module, function = FORMATS[name]
    found: Render = getattr(importlib.import_module(module), function)
    return found
