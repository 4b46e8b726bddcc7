"""Marks contrast with both backgrounds."""

from __future__ import annotations

import pytest
from swept_runs import make_run

from joulemark.reports.figures import sweep
from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure


def luminance(colour: tuple[float, ...]) -> float:
    """Return the relative luminance of WCAG 2.2 of red, green and blue from 0 to 1."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: str, opacity: float, background: str) -> float:
    """Return WCAG's contrast ratio of a colour (`#rrggbb`) on a background."""
    front, back = (tuple(int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)) for c in (colour, background))
    blended = tuple(opacity * f + (1 - opacity) * b for f, b in zip(front, back, strict=True))
    high, low = sorted((luminance(blended), luminance(back)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_agrees_with_known_values() -> None:
    assert contrast("#000000", 1.0, "#ffffff") == pytest.approx(21)
    assert contrast("#777777", 1.0, "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("background", ["#ffffff", "#111418"])
def test_every_mark_has_a_contrast_of_three_to_one(drawn: dict[str, Figure], background: str) -> None:
    """WCAG 1.4.11 requires three to one of graphics."""
    marks = 0
    swept = {figure.id: figure for figure in sweep.figures(build([make_run()]))}
    for id, figure in (drawn | swept).items():
        for trace in figure.data:
            if trace["type"] == "scatter" and "marker" in trace:
                sizes = trace["marker"].get("size")
                opacity = trace["marker"].get("opacity", 0.7 if isinstance(sizes, list) else 1.0)  # Plotly's defaults
                for value in opacity if isinstance(opacity, list) else [opacity]:
                    colour = trace["marker"].get("color") or trace["line"]["color"]
                    assert contrast(colour, value, background) >= 3, (id, trace["name"])
                    marks += 1
    assert marks > 20
