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


def test_bars_that_stand_alone_are_no_chart() -> None:
    """Each task has its own scale: without a second bar all are of one length."""
    assert overview(summarised(run_file(cases(frameworks=["pytorch"]))), 80) == []
    some_alone = [*cases(), *cases(frameworks=["pytorch"])[:1]]
    some_alone[-1] = some_alone[-1].model_copy(update={"size": "base", "id": "alone"})
    lines = overview(summarised(run_file(some_alone)), 80)
    assert sum("base" in line for line in lines) == 0
    assert any("cnn inference, small" in line for line in lines)


def test_head_speaks_of_intervals_only_where_there_are_any() -> None:
    assert "interval" in "\n".join(overview(full(), 80))
    assert "interval" not in "\n".join(overview(summarised(run_file(cases(rounds=1))), 80))


def test_what_was_not_measured_has_no_chart() -> None:
    assert "Energy" not in "\n".join(overview(summarised(run_file(cases(kind="unavailable"))), 80))
    assert overview(run_file([]), 80) == []
