"""The counts of a step on the page: by case, and where runs differ."""

from __future__ import annotations

from comparisons import case_with_work
from run_files import case, run_file, work

from joulemark.reports.html import render
from joulemark.reports.model import build


def test_each_case_has_a_row_and_each_count_a_column() -> None:
    eager = case_with_work(work(operators=412, allocated_bytes=2.1e8, cycles="not permitted"))
    graph = case_with_work(work(graph_nodes=30), framework="tensorflow", mode="graph")
    report = build([run_file([eager, graph, case("vit")])])
    assert report.work is not None
    assert report.work.table.head == ("case", "operators", "graph nodes", "allocations, B")
    assert [row[1:] for row in report.work.table.rows] == [(412, "-", 2.1e8), ("-", 30, "-")]
    assert report.work.missing == ("No cycles: not permitted.",)
    page = render([run_file([eager, graph])])
    assert '<section id="work"' in page
    assert '<a href="#work">Work</a>' in page


def test_a_page_without_counts_has_no_such_section() -> None:
    assert build([run_file()]).work is None
    assert 'id="work"' not in render([run_file()])


def test_runs_that_differ_in_their_work() -> None:
    first, later = (run_file([case_with_work(work(operators=n))], id=id) for n, id in ((412, "A"), (440, "B")))
    comparison = build([first, later]).comparison
    assert comparison is not None
    assert comparison.work is not None
    assert comparison.work.head == ("case", "a step's", "run A", "this run", "that is")
    assert [row[1:] for row in comparison.work.rows] == [("operators", "412", "440", "more work")]
    assert "Changes of work" in render([first, later])
    same = build([first, run_file([case_with_work(work(operators=412))], id="B")]).comparison
    assert same is not None
    assert same.work is None
