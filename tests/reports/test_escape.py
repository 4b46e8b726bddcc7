"""Text from run files is escaped for Plotly. Markdown is tested in test_markdown.py."""

from __future__ import annotations

from joulemark.reports.escape import for_plotly


def test_plotly_labels_are_escaped_and_cut() -> None:
    assert for_plotly("<b>&%{x}\u202e\n") == "&lt;b&gt;&amp;% {x}\ufffd"
    assert len(for_plotly("x" * 10_000)) == 60
