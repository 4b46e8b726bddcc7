"""What a response takes beyond its parts, as text, the same for the terminal and the page. Pure."""

from __future__ import annotations

from typing import Final

from joulemark.suite import units
from joulemark.suite.records import Response
from joulemark.suite.results.table import ESTIMATED, NOT_MEASURED

CLOSURE_TITLE: Final = "Response minus prefill and decoding"


def closure_text(response: Response) -> str:
    """Return what prefill and decoding alone leave over of a response: `~143 mJ, +67 % [-42, +176] %`."""
    closure, energy = response.closure, response.energy_j
    if closure is None or closure.energy_j is None or closure.share is None:
        return NOT_MEASURED
    mark = ESTIMATED if energy is not None and energy.per_response.kind == "model" else ""
    joules = f"{mark}{units.quantity(closure.energy_j, 'J', 2 if mark else 3)}"
    shares = [closure.share]
    if closure.low_j is not None and closure.high_j is not None and closure.energy_j:
        shares += [closure.share * end_j / closure.energy_j for end_j in (closure.low_j, closure.high_j)]
    places = 0 if max(map(abs, shares)) >= 0.1 else 1
    share, *ends = (f"{100 * each:+.{places}f}" for each in shares)
    interval = f" [{', '.join(ends)}] %" if ends else ""
    return f"{joules}, {share} %{interval}"
