"""Runs beside reference machines on the page."""

from __future__ import annotations

from report_files import full, on_gpu, report_inputs

from joulemark.reports.model import build
from joulemark.reports.sections import sections
from joulemark.suite.results.references.kept import Reference, load, load_all

OTHER = Reference("other", "Other machine", "A test.", (on_gpu(),))


def test_page_has_the_section_only_where_a_case_is_shared() -> None:
    assert not build([full()]).beside  # none was given
    report = build([full()], references=[OTHER, *load_all()])
    assert [beside.name for beside in report.beside if beside.pairs] == ["other"]
    assert "beside" in {section.id for section, _ in sections(report)}


def test_each_row_has_both_values_their_ratio_and_what_differs() -> None:
    (beside,) = build([full()], references=[OTHER]).beside
    row = dict(zip(beside.table.head, beside.table.rows[0], strict=True))
    assert row["items per second"] / row["of the reference"] == row["times as fast"]
    assert row["what differs"] == "the machine alone"
    assert "2026-11-02" in beside.about


def test_reference_measured_as_the_run_is_one_everywhere() -> None:
    h200 = load("h200")
    run = next(run for run in h200.runs if run.run.rounds == 1)
    (beside,) = build([run], references=[h200]).beside
    assert {round(pair.throughput.value, 9) for pair in beside.pairs if pair.throughput.value} == {1.0}
    assert {pair.throughput.low for pair in beside.pairs} == {None}  # n=1
    assert "provisional" in beside.about
    assert beside.title == "NVIDIA H200 (provisional)"
    assert beside.sentences[0] == "This run is part of that reference, NVIDIA H200 (provisional)."
    assert beside.sentences[1].startswith("Against NVIDIA H200 (provisional), ")


def test_many_runs_are_ranked_elsewhere() -> None:
    assert build(report_inputs()["twelve-runs"], references=[OTHER]).beside == ()
