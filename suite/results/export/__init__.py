"""A run in the formats of other tools. A format is one file with a `render` function, and one line here. Pure."""

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
"""Module and function by the name of the format."""


def renderer(name: str) -> Render:
    """Return the function that renders a run file in the format `name`. Raises UsageError for an unknown format."""
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    module, function = FORMATS[name]
    render: Render = getattr(importlib.import_module(module), function)
    return render
