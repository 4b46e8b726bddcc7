"""A table loses nothing at any width: each value, verdict and id can be read."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from command import in_terminal, joulemark
from hypothesis import given
from hypothesis import strategies as st
from places import DOCS
from rich.console import Console

from joulemark.suite.records import write
from joulemark.suite.results.run_files import read
from joulemark.suite.terminal.tables import AdaptiveTable, Column

RESULTS = DOCS / "results"

word = st.text("abcxyz019:/.-[]~", min_size=1, max_size=12)


def rendered(table: AdaptiveTable, width: int, terminal: bool = True) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None, legacy_windows=False)
    console.print(table, highlight=False, crop=False)
    return [line.rstrip() for line in file.getvalue().splitlines()]


@given(
    st.lists(st.tuples(st.text("abc:/", max_size=70), word, word, word, st.lists(word, max_size=6)), max_size=4),
    st.integers(20, 160),
)
def test_every_cell_can_be_read_at_every_width(rows: list[tuple[str, str, str, str, list[str]]], width: int) -> None:
    table = AdaptiveTable("What", "One", Column("Two\n[x]", right=True), Column("Words", wrap=True))
    for name, first, value, interval, words in rows:
        table.add(name, first, f"{value}\n{interval}", " ".join(words))
    lines = rendered(table, width)
    for name, *cells, words in rows:
        assert any(name in line for line in lines)
        assert all(any(cell in line for line in lines) for cell in cells)
        assert all(any(each in line for line in lines) for each in words)
    names = {name for name, *_ in rows}
    assert all(len(line) <= width for line in lines if line not in names)


def test_three_layouts() -> None:
    table = AdaptiveTable("What", Column("Rate\nitems/s", right=True), Column("Verdict", wrap=True))
    table.add("matmul:small", "12.3\n[11.8, 12.9]", "slower")
    table.add("", "5", "same; as before")
    assert rendered(table, 80) == [
        "                           Rate",
        "What                    items/s  Verdict",
        "matmul:small  12.3 [11.8, 12.9]  slower",
        "                              5  same; as before",
    ]
    assert rendered(table, 24) == [
        "          Rate",
        "       items/s  Verdict",
        "matmul:small",
        "          12.3  slower",
        "  [11.8, 12.9]",
        "             5  same; as",
        "                before",
    ]
    assert rendered(table, 20) == [
        "matmul:small",
        "  Rate, items/s:",
        "  12.3",
        "  [11.8, 12.9]",
        "  Verdict: slower",
        "",
        "  Rate, items/s: 5",
        "  Verdict: same; as",
        "  before",
    ]
    assert rendered(table, 20, terminal=False) == rendered(table, 80)


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_run_is_complete_in_a_narrow_terminal(tmp_path: Path, width: int) -> None:
    path = RESULTS / "quick-2-cores.json"
    wide = joulemark(tmp_path, "show", str(path)).stdout.splitlines()
    rows = [
        line.split(maxsplit=1) for line in wide if line.startswith(("ddpm:", "matmul:", "resnet50:", "transformer:"))
    ]
    assert len(rows) == 14
    text = in_terminal(tmp_path, width, "show", str(path), variables={"NO_COLOR": "1"})
    for id, cells in rows:
        _, _, after = text.partition(f"\n{id}")
        block = " ".join(after.split())
        for part in re.findall(r"\[[^]]*]|\([^)]*\)|\S+", cells):
            assert part in block


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 80])
def test_comparison_is_complete_in_a_narrow_terminal(tmp_path: Path, width: int) -> None:
    a = read(RESULTS / "quick-2-cores.json")
    b = a.model_copy(update={"run": a.run.model_copy(update={"id": "20261126T022550Z-4942"})})
    write(b, tmp_path / "b.json")
    for verb in (
        ["compare", str(RESULTS / "quick-2-cores.json"), "b.json"],
        ["check", "--baseline", str(RESULTS / "quick-2-cores.json"), "b.json"],
    ):
        text = in_terminal(tmp_path, width, *verb, variables={"NO_COLOR": "1"})
        for case in a.cases:
            assert f"\n{case.id}" in text
        assert text.count("inconclusive") >= 14
        assert re.search(r"\d items/s", text)
        assert "1.00" in text
