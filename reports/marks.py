"""Colour and marks, fixed everywhere: framework = colour and family of shapes, mode = shape and dash.

Colours are of the Okabe-Ito palette, safe for the colour-blind, and chosen for a contrast of 3:1 or more on both a
white and a dark (#111418) ground. The frameworks' own brand colours are both orange and cannot be told apart.
What is measured is solid; what is estimated or not measured is open or hatched.
"""

from __future__ import annotations

from dataclasses import dataclass

from joulemark.suite.trial.frameworks import FRAMEWORKS

_COLOURS = {"pytorch": "#0072B2", "tensorflow": "#D55E00"}
_SPARE_COLOURS = ("#009E73", "#CC79A7")

# Round shapes for PyTorch, angular ones for TensorFlow, so that a grey print can still be read.
_SHAPES = {
    ("pytorch", "eager"): "circle",
    ("pytorch", "compile"): "hexagram",
    ("tensorflow", "eager"): "triangle-up",
    ("tensorflow", "graph"): "square",
    ("tensorflow", "xla"): "diamond",
}
_SPARE_SHAPES = ("star", "pentagon", "cross", "x")
_DASHES = {"eager": "solid", "graph": "dash", "compiled": "dot"}
HATCH = "/"
NEUTRAL = "#7a8594"
"""Grey of 3:1 or more on both grounds: warm-up, idle, frontier lines."""


INTENSITIES = {"measured": "", "estimated": "-dot", "average": "-dot", "default": "-dot", "given": ""}
"""What marks in the chart of emissions have added to their shape, by the kind of carbon intensity
(`suite.results.intensity_kind`). A dot: not of the run's own hours for certain. The legend names
the kind: paler marks would be hard to see."""


@dataclass(frozen=True)
class Mark:
    """How one framework in one mode is drawn."""

    name: str
    """For people: `PyTorch eager`."""
    colour: str
    shape: str
    dash: str


def mark(framework: str, mode: str) -> Mark:
    """The mark of `framework` in `mode`; names that are not known get one by their spelling, always the same."""
    known = FRAMEWORKS.get(framework)
    title = known.title if known else framework
    spelling = sum(framework.encode())
    colour = _COLOURS.get(framework) or _SPARE_COLOURS[spelling % len(_SPARE_COLOURS)]
    shape = _SHAPES.get((framework, mode)) or _SPARE_SHAPES[(spelling + sum(mode.encode())) % len(_SPARE_SHAPES)]
    dash = _DASHES.get(known.modes.get(mode, "") if known else "", "dashdot")
    return Mark(f"{title} {mode}", colour, shape, dash)


SHAPES = {
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
"""Outlines of the shapes around the origin, for the marks in text and tables."""
