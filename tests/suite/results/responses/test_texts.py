"""What a response takes beyond its parts, in the terminal and on the page."""

from __future__ import annotations

import re

import pytest
from report_files import report_inputs
from responses import TRUE_J, simulated_run
from rich.console import Console

from joulemark.reports.figures.responses import figures
from joulemark.reports.model import build
from joulemark.suite.records import Closure, Kind, Response
from joulemark.suite.results.responses.texts import closure_text
from joulemark.suite.results.table import table
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
    joules = re.search(r"  Energy per new token \(whole response\), mJ: \D?([\d.]+)", capture.get())
    assert joules is not None
    assert float(joules[1]) == pytest.approx(1000 * TRUE_J["response_per_output_token"], rel=0.01)
    assert f"Response minus prefill and decoding: {closure_text(response)}" in capture.get()
    (parts,) = [each for each in figures(build(report_inputs()["responses"])) if each.id.endswith("parts")]
    column = parts.table.head.index("response minus prefill and decoding")
    assert all(str(row[column]).endswith("] %") for row in parts.table.rows)


def test_percentiles_of_one_quantity_have_one_unit() -> None:
    run = simulated_run()
    (case,) = run.cases
    assert case.response is not None
    assert case.response.tpot_s is not None
    p50, p99 = (case.response.tpot_s.p50.model_copy(update={"value": value}) for value in (0.0007, 0.0014))
    times = case.response.tpot_s.model_copy(update={"p50": p50, "p99": p99})
    changed = case.model_copy(update={"response": case.response.model_copy(update={"tpot_s": times})})
    units = {column.key: column.unit for column in table(run.model_copy(update={"cases": (changed,)})).columns}
    assert (units["tpot_p50_s"], units["tpot_p99_s"]) == ("µs", "µs")
    assert units["ttft_p50_s"] == units["ttft_p99_s"]
