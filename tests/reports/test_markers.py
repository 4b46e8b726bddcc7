"""Markers of frameworks and modes."""

from __future__ import annotations

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
