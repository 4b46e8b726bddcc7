"""Marks, ticks, fronts and texts of charts."""

from __future__ import annotations

import math

from report_files import full

from joulemark.reports.escape import for_plotly
from joulemark.reports.figures import figures
from joulemark.reports.figures.base import ticks
from joulemark.reports.figures.pareto import front
from joulemark.reports.marks import SHAPES, mark
from joulemark.reports.model import build
from joulemark.suite.trial.frameworks import FRAMEWORKS


def test_the_front_is_what_nothing_beats() -> None:
    points = [(10.0, 5.0), (20.0, 5.0), (20.0, 4.0), (30.0, 6.0), (5.0, 1.0), (4.0, 2.0)]
    assert {points[i] for i in front(points)} == {(30.0, 6.0), (20.0, 4.0), (5.0, 1.0)}


def test_ticks_are_round_and_within() -> None:
    for low, high in ((-3.0, 5.0), (0.0, 0.2), (2.3, 3.4), (-9.5, -8.0)):
        values, texts = ticks(low, high)
        assert 2 <= len(values) <= 16
        assert len(texts) == len(values)
        assert all(value is not None and low - 1e-9 <= math.log10(value) <= high + 1e-9 for value in values)
    assert ticks(2.9, 4.1)[1] == ["1k", "2k", "5k", "10k"]


def test_text_for_charts_is_inert() -> None:
    assert for_plotly("<b>&%{x}\u202e\n") == "&lt;b&gt;&amp;% {x}"
    assert len(for_plotly("x" * 10_000)) == 60


def test_windows_wear_the_colour_of_their_framework() -> None:
    (power,) = [figure for figure in figures(build([full()])) if figure.id.startswith("power")]
    shades = {line["name"]: line["fillcolor"] for line in power.data if "fillcolor" in line}
    for name, framework in (("PyTorch", "pytorch"), ("TensorFlow", "tensorflow")):
        parts = shades[f"{name} windows"].removeprefix("rgba(").partition(",0.")[0].split(",")
        assert "#" + "".join(f"{int(part):02X}" for part in parts) == mark(framework, "eager").colour


def test_every_mode_has_a_mark_of_its_own() -> None:
    marks = [mark(name, mode) for name, known in FRAMEWORKS.items() for mode in known.modes]
    assert len({(m.colour, m.shape) for m in marks}) == len(marks)
    assert {m.shape for m in marks} <= set(SHAPES)
    assert mark("jax", "jit") == mark("jax", "jit")
    assert mark("jax", "jit").colour not in {m.colour for m in marks}
