"""The table of ranks in the terminal."""

from __future__ import annotations

from ranked_runs import ranked_run
from rich.console import Console

from joulemark.suite.records import RunFile
from joulemark.suite.terminal.ranks import ranks_table


def _terminal(run: RunFile) -> str:
    console = Console(width=200, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(*ranks_table(run))
    return capture.get()


def test_headings_name_the_baseline_and_amounts_have_their_marks() -> None:
    text = _terminal(ranked_run())
    words = " ".join(text.split())
    for title in ("Efficiency vs", "not distributed", "vs 1 rank", "of ddp", "ranks apart"):
        assert title in words
    assert "-104 µs, -2.4%" in words
    assert "~120.0%" in words
    assert "~" not in _terminal(ranked_run("counter"))
