"""What a response takes beyond its parts, in the terminal and on the page."""

from __future__ import annotations

import pytest
from report_files import report_inputs
from responses import simulated_run
from rich.console import Console

from joulemark.reports.figures.responses import figures
from joulemark.reports.model import build
from joulemark.suite.records import Closure, Kind, Response
from joulemark.suite.results.responses.texts import closure_text
from joulemark.suite.terminal.responses import response_table

pytestmark = pytest.mark.slow


def _response(kind: Kind, closure: Closure) -> Response:
    (case,) = simulated_run().cases
    assert case.response is not None
    assert case.response.energy_j is not None
    per_response = case.response.energy_j.per_response.model_copy(update={"kind": kind})
    energy = case.response.energy_j.model_copy(update={"per_response": per_response})
    return case.response.model_copy(update={"energy_j": energy, "closure": closure})


@pytest.mark.parametrize(
    ("kind", "ends_j", "share", "text"),
    [
        ("model", (-0.0903, 0.376), 0.67, "~140 mJ, +67 % [-42, +176] %"),  # 67 % x -90.3 / 143, 67 % x 376 / 143
        ("counter", (-0.0903, 0.376), 0.67, "143 mJ, +67 % [-42, +176] %"),
        ("counter", (None, None), 0.012, "143 mJ, +1.2 %"),
        ("counter", (0.0715, 0.2145), 0.012, "143 mJ, +1.2 % [+0.6, +1.8] %"),
    ],
)
def test_interval_stands_beside_the_share_that_it_is_of(
    kind: Kind, ends_j: tuple[float | None, float | None], share: float, text: str
) -> None:
    closure = Closure(energy_j=0.143, low_j=ends_j[0], high_j=ends_j[1], share=share, n=3)
    assert closure_text(_response(kind, closure)) == text
    assert closure_text(_response(kind, Closure(energy_j=None, n=0, reason="absent"))) == "not measured"


def test_terminal_and_page_show_it_under_the_same_heading() -> None:
    run = simulated_run()
    console = Console(width=80, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(*response_table(run))
    response = run.cases[0].response
    assert response is not None
    assert f"Response minus prefill and decoding: {closure_text(response)}" in capture.get()
    (parts,) = [each for each in figures(build(report_inputs()["responses"])) if each.id.endswith("parts")]
    column = parts.table.head.index("response minus prefill and decoding")
    assert all(str(row[column]).endswith("] %") for row in parts.table.rows)
