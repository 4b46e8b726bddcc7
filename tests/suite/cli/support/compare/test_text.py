"""A comparison as Markdown."""

from __future__ import annotations

from kept_runs import case_at
from run_files import run_file

from joulemark.suite.cli.support.compare.documents import RunComparison
from joulemark.suite.cli.support.compare.text import MAX_BYTES, markdown
from joulemark.suite.stats.compare import compare


def test_markdown_fits_a_comment_and_counts_the_rows_it_omits() -> None:
    cases = [case_at(workload=f"w{i}") for i in range(150)]
    a, b = run_file(cases, id="A"), run_file(cases, id="B")
    text = markdown(RunComparison(a, b, None, compare(a, b)), "title | *", ["a <b>"])
    assert len(text.encode()) <= MAX_BYTES
    shown = sum(line.startswith("| w") for line in text.splitlines())
    assert f"\n{150 * 5 - shown} more rows " in text
    assert text.startswith("### title \\| \\*\n\n- a &lt;b&gt;\n")
