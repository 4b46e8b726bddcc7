"""The Markdown summary."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_files import cases, full, report_inputs, summarised
from run_files import case, failed_trial, run_file

from joulemark.reports.markdown import MAX_BYTES, render_comment, render_markdown, write_markdown
from joulemark.reports.model import build
from joulemark.suite.errors import UsageError
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice


def test_summary_holds_the_table() -> None:
    text = render_markdown([full()])
    report = build([full()])
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(report.cases)
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1
    for view in report.shown:
        cell = view.row.cells["throughput"]
        assert f"{cell.text} {cell.interval}" in text
    assert text.startswith(
        "# Test CPU, 2 cores: cnn and matmul in PyTorch and TensorFlow\n\n**Complete. 6 of 7 cases measured, 1 failed."
    )


def test_estimates_and_missing_values_are_marked() -> None:
    estimated = render_markdown([summarised(run_file(cases(kind="model")))])
    assert "\\~" in estimated
    assert " to " in estimated
    missing = render_markdown([summarised(run_file(cases(kind="unavailable")))])
    assert "not measured: package: absent" in missing


def test_notices_have_the_number_of_their_cases() -> None:
    variances = [Notice.of(Code.HIGH_VARIANCE, value, 0.1) for value in (0.185, 0.12)]
    noticed = [
        case(notices=(variances[0],)),
        case(framework="tensorflow", mode="graph", notices=(variances[1],)),
        case("vit"),
    ]
    text = render_markdown([run_file(noticed, notices=(Notice.of(Code.NOISY_FLOOR, 0.12, 0.05),))])
    (of_cases,) = [line for line in text.splitlines() if line.startswith("- ") and "18.5%" in line]
    assert "(the worst of 2 cases)" in of_cases
    (of_run,) = [line for line in text.splitlines() if line.startswith("- ") and "12.0%" in line]
    assert "cases)" not in of_run


def test_hostile_text_is_escaped() -> None:
    hostile = "a|b\n\n# c <script>alert(1)</script> [x](http://y) `z`" + "w" * 10_000
    text = render_markdown([run_file([case(hostile, trials=[failed_trial(reason=hostile)])])])
    assert "<" not in text
    assert "](" not in text.replace("\\](", "")
    assert sum(line.startswith("#") for line in text.splitlines()) == 1
    assert max(map(len, text.splitlines())) < 12_000


def test_summary_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    assert write_markdown([full()], tmp_path / "a" / "page.md").read_text() == render_markdown([full()])
    with pytest.raises(UsageError, match=r"page\.md"):
        write_markdown([full()], tmp_path / "a" / "page.md" / "b.md")


def test_comment_is_cut_to_its_length() -> None:
    run = summarised(run_file([case(f"w{i:03d}") for i in range(800)]))
    assert len(render_markdown([run]).encode()) > MAX_BYTES
    comment = render_comment(run)
    assert len(comment.encode()) <= MAX_BYTES
    rows = sum(line.startswith("| w") for line in comment.splitlines())
    assert f"\n{800 - rows} more cases " in comment
    assert render_comment(full()) == render_markdown([full()])


@pytest.mark.parametrize("name", list(report_inputs()))
def test_every_input_has_a_summary(name: str) -> None:
    assert render_markdown(report_inputs()[name]).startswith("# ")
