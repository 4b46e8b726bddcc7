"""The charts of a run."""

from __future__ import annotations

import pytest
from report_files import cases, full, summarised
from run_files import run_file

from joulemark.suite.terminal.overview import overview


@pytest.mark.parametrize("width", [30, 60, 100])
def test_every_case_is_drawn_within_the_width(width: int) -> None:
    lines = overview(full(), width, ascii=True)
    assert max(map(len, lines)) <= width
    assert all(line.isascii() for line in lines)
    if width > 30:
        assert sum("PyTorch e" in line for line in lines) == 6  # three tasks, in throughput and in energy
    assert not any("xla" in line for line in lines)  # it failed


def test_estimates_are_hatched() -> None:
    estimated = "\n".join(overview(summarised(run_file(cases(kind="model"))), 80))
    throughput, energy = estimated.split("Energy per item")
    assert "░" not in throughput
    assert "░ is an estimate" in " ".join(energy.split())
    assert "░░" in energy


def test_what_was_not_measured_has_no_chart() -> None:
    assert "Energy" not in "\n".join(overview(summarised(run_file(cases(kind="unavailable"))), 80))
    assert overview(run_file([]), 80) == []
