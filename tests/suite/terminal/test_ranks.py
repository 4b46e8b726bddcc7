"""The table of ranks in the terminal, and its sentence on the page."""

from __future__ import annotations

import pytest
from rich.console import Console
from run_files import case, energy, run_file, trial

from joulemark.reports.figures.ranks import figures
from joulemark.reports.model import build
from joulemark.suite.records import Difference, Efficiency, Kind, Quantity, RunFile
from joulemark.suite.terminal.ranks import ranks_table


def _run(kind: Kind = "model", low: float | None = 0.12, ranks: tuple[int, ...] = (2,)) -> RunFile:
    """Return cases of `ranks` with an efficiency of 15 % on 2 of them, and an unknown one on any other."""
    cases = []
    for count in ranks:
        known = count == 2
        efficiency = Efficiency(
            value=0.15 if known else None,
            low=low if known else None,
            high=0.18 if known and low is not None else None,
            n=3,
            reason=None if known else "absent",
            of_one_rank=Quantity(value=0.2, unit="", n=3),
            of_ranks_apart=Quantity(value=0.3, unit="", n=3),
            exposed_communication_s=Difference(value=-104e-6, unit="s", n=3),
            exposed_share=Difference(value=-0.024, unit="", n=3),
            energy_ratio=Quantity(value=1.2, unit="", n=3, kind=kind),
        )
        made = case(trials=[trial(readings=[energy(kind=kind)])])
        fields = {"ranks": count, "strategy": "ddp", "scaling": "weak", "efficiency": efficiency}
        cases.append(made.model_copy(update={**fields, "id": f"{made.id}+ranks={count}+ddp"}))
    return run_file(cases)


def _terminal(run: RunFile) -> str:
    console = Console(width=200, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(*ranks_table(run))
    return capture.get()


def test_headings_name_the_baseline_and_amounts_have_their_marks() -> None:
    text = _terminal(_run())
    words = " ".join(text.split())
    for title in ("Efficiency vs", "not distributed", "vs 1 rank", "of ddp", "ranks apart"):
        assert title in words
    assert "-104 µs, -2.4%" in words
    assert "~120.0%" in words
    assert "~" not in _terminal(_run("counter"))


@pytest.mark.slow
def test_sentence_of_the_page_has_the_interval_of_the_ranks_that_it_names() -> None:
    summaries = [each.summary for run in (_run(), _run(low=None)) for each in figures(build([run]))]
    assert [text.rpartition(": ")[2] for text in summaries] == [
        "15% [12%, 18%] efficiency on 2 ranks.",
        "15% efficiency on 2 ranks.",
    ]
    (unknown_on_four,) = figures(build([_run(ranks=(2, 4))]))
    assert unknown_on_four.summary.endswith("efficiency on 2 ranks.")
