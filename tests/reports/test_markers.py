"""Markers of frameworks and modes."""

from __future__ import annotations

from pathlib import Path

import joulemark.reports
from joulemark.reports.markers import SHAPE_PATHS, marker
from joulemark.suite.trial.frameworks import FRAMEWORKS


def test_every_mode_has_a_marker_of_its_own() -> None:
    markers = [marker(name, mode) for name, framework in FRAMEWORKS.items() for mode in framework.modes]
    assert len({(each.colour, each.shape) for each in markers}) == len(markers)
    assert {each.shape for each in markers} <= set(SHAPE_PATHS)


def test_unknown_framework_has_a_marker_that_is_always_the_same() -> None:
    assert marker("other", "mode") == marker("other", "mode")
    assert marker("other", "mode").shape in SHAPE_PATHS
    assert marker("other", "mode").colour not in {framework.colour for framework in FRAMEWORKS.values()}


def test_nothing_else_beside_marks_of_frameworks_has_the_colour_of_a_framework() -> None:
    """The rings of a sweep were green before JAX was, and so were its marks."""
    folder = Path(joulemark.reports.__path__[0])
    colours = {framework.colour.lower() for framework in FRAMEWORKS.values()}
    sources = [
        p
        for name in ("figures", "plotting", "assets", "templates")
        for p in (folder / name).rglob("*.*")
        if p.suffix != ".pyc"
    ]
    assert len(sources) > 50
    texts = {path.name: path.read_bytes().lower().decode(errors="replace") for path in sources}
    assert [name for name, text in texts.items() if any(colour in text for colour in colours)] == []
