"""Markers of frameworks and modes, the same in all charts: colour is the framework, shape and dash are the mode.

A framework's colour and shapes are in the table of frameworks (`suite.trial.frameworks`). Colours are from the
Okabe-Ito palette, safe for colour-blind readers, and chosen for a contrast of 3:1 or more on both a white and a dark
(#111418) background. The frameworks' own brand colours are both orange and cannot be told apart.
Measured values are solid; estimated or missing ones are open or hatched.
"""

from __future__ import annotations

from dataclasses import dataclass

from joulemark.suite.trial.frameworks import FRAMEWORKS

_SPARE_COLOUR = "#CC79A7"
_SPARE_SHAPES = ("star", "pentagon", "cross", "x")
_DASHES = {"eager": "solid", "graph": "dash", "compiled": "dot"}
HATCH = "/"
NEUTRAL = "#7a8594"
"""Grey of 3:1 or more on both backgrounds: warm-up, idle, frontier lines."""
ACCENT = "#8A63D2"
"""Violet of 3:1 or more on both backgrounds, for what belongs to no framework: the best settings, a steady step."""

INTENSITY_SUFFIXES = {"measured": "", "estimated": "-dot", "average": "-dot", "default": "-dot", "given": ""}
"""Suffix of a marker's shape in the emissions chart, by the kind of carbon intensity
(`suite.results.intensity_kind`). A dot means that the intensity is not certain to be that of the run's own hours. The
legend names the kind: paler markers would be hard to see."""


@dataclass(frozen=True)
class Marker:
    """How one framework in one mode is drawn."""

    name: str
    """For people: `PyTorch eager`."""
    colour: str
    shape: str
    dash: str


def framework_title(framework: str) -> str:
    """Return the name of `framework` for people: `PyTorch`."""
    return FRAMEWORKS[framework].title if framework in FRAMEWORKS else framework


def marker(framework: str, mode: str) -> Marker:
    """Return the marker of `framework` in `mode`; unknown names get one derived from their spelling."""
    known = FRAMEWORKS.get(framework)
    letters = sum(framework.encode())
    colour = known.colour if known else _SPARE_COLOUR
    spare_shape = _SPARE_SHAPES[(letters + sum(mode.encode())) % len(_SPARE_SHAPES)]
    shape = known.markers.get(mode, spare_shape) if known else spare_shape
    dash = _DASHES.get(known.modes.get(mode, "") if known else "", "dashdot")
    return Marker(f"{framework_title(framework)} {mode}", colour, shape, dash)


SHAPE_PATHS = {
    "circle": "M0-5.5A5.5 5.5 0 1 1 0 5.5A5.5 5.5 0 1 1 0-5.5Z",
    "hexagram": "M0-6.5L1.9-3.2H5.6L3.8 0L5.6 3.2H1.9L0 6.5L-1.9 3.2H-5.6L-3.8 0L-5.6-3.2H-1.9Z",
    "triangle-up": "M0-5.5L6 5H-6Z",
    "square": "M-5-5H5V5H-5Z",
    "diamond": "M0-6.5L6.5 0L0 6.5L-6.5 0Z",
    "star": "M0-6.5L1.6-2.2L6.2-2L2.6.8L3.8 5.3L0 2.7L-3.8 5.3L-2.6.8L-6.2-2L-1.6-2.2Z",
    "pentagon": "M0-6L5.7-1.9L3.5 4.9H-3.5L-5.7-1.9Z",
    "cross": "M-2-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z",
    "x": "M-5-3L-3-5L0-2L3-5L5-3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0Z",
}
"""SVG outlines of the shapes around the origin, for the markers in text and tables."""
