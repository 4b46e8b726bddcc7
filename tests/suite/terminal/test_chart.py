"""Bar charts: the length of a bar is its value, and no line is too wide."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from joulemark.suite.terminal.chart import Bar, interval_chart


def test_bar_has_the_length_of_its_value_and_its_interval_on_top() -> None:
    chart = [
        Bar("a", "10", 10.0, 8.0, 12.0),
        Bar("b", "5", 5.0),
        Bar("c", "none", None),
        Bar("d", "6", 6.0, hatched=True),
    ]
    bars = [line[9:] for line in interval_chart(chart, 9 + 25)]
    # The 24 cells after the first stand for 12: two cells per unit.
    assert bars == ["█" * 16 + "├───●───┤", "█" * 11, "", "░" * 13]
    assert interval_chart(chart, 34, ascii=True)[0][9:] == "=" * 16 + "[---o---]"


positive = st.floats(1e-6, 1e9)


@given(
    st.lists(st.tuples(st.text(max_size=60), positive, st.floats(0.1, 1), st.floats(1, 9)), max_size=6),
    st.integers(20, 120),
    st.booleans(),
)
def test_no_line_is_too_wide(values: list[tuple[str, float, float, float]], width: int, ascii: bool) -> None:
    bars = [Bar(label, f"{value:.3g}", value, value * low, value * high) for label, value, low, high in values]
    for line in interval_chart(bars, width, ascii):
        assert len(line) <= width
