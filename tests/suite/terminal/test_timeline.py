"""The chart of values over runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joulemark.suite.terminal.timeline import ASCII, UNICODE, character_set, sparkline, timeline


def without_intervals(values):
    return [(value, None, None) for value in values]


def columns_with(lines: list[str], character: str) -> list[list[int]]:
    """Return for each row of the plot the columns that show `character`."""
    plot = [line.partition(ASCII.axis)[2] for line in lines[:-1]]
    return [[x for x, shown in enumerate(line) if shown == character] for line in plot]


def test_values_rise_from_the_lowest_row_to_the_highest():
    lines = timeline(without_intervals([1.0, 2.0, 3.0]), [(0, 3)], 20, 3, ASCII)
    rows = columns_with(lines, ASCII.value)
    assert [len(row) for row in rows] == [1, 1, 1]
    assert rows[2] < rows[1] < rows[0]
    assert lines[0].strip().startswith("3")
    assert lines[2].strip().startswith("1")


def test_change_is_in_the_column_of_its_first_run_and_levels_at_their_means():
    lines = timeline(without_intervals([10.0] * 5 + [20.0] * 5), [(0, 5), (5, 10)], 16, 5, ASCII)
    assert all(row == [] or min(row) >= 5 for row in columns_with(lines, ASCII.change))
    assert columns_with(lines, ASCII.change)[2] == [5]
    assert columns_with(lines, ASCII.value)[0] == [5, 6, 7, 8, 9]
    assert columns_with(lines, ASCII.value)[4] == [0, 1, 2, 3, 4]


def test_wide_interval_does_not_flatten_the_values():
    lines = timeline([(10.0, 9.0, 11.0), (20.0, 1.0, 1000.0)], [(0, 2)], 12, 9, ASCII)
    assert any(columns_with(lines, ASCII.interval))
    rows = [y for y, row in enumerate(columns_with(lines, ASCII.value)) if row]
    assert len(rows) == 2
    assert rows[1] - rows[0] >= 3


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=400), st.integers(20, 120), st.integers(3, 20))
def test_chart_never_exceeds_its_size(values, width, height):
    lines = timeline(without_intervals(values), [(0, len(values))], width, height, UNICODE)
    assert len(lines) == height + 1
    assert sum(UNICODE.value in line for line in lines) >= 1
    margin = lines[-1].index(UNICODE.corner)
    assert max(map(len, lines)) <= max(width, margin + 2)
    assert len(sparkline(values, 24, UNICODE)) == min(24, len(values))


def test_no_values():
    assert timeline([], [], 80, 11, ASCII) == []
    assert sparkline([], 24, ASCII) == ""


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", UNICODE), ("ascii", ASCII), (None, ASCII), ("x", ASCII)])
def test_character_set_follows_the_encoding(encoding, expected):
    assert character_set(encoding) is expected
    assert "".join([*vars(ASCII).values()]).isascii()
