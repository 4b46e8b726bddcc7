"""The report as plain data: what it says of its runs, and what is best of them."""

from __future__ import annotations

from report_files import cases, full, later, on_gpu, summarised, trials
from run_files import case, run_file

from joulemark.reports.model import build
from joulemark.reports.model.cases import label
from joulemark.suite.carbon import ember
from joulemark.suite.records import Intensity
from joulemark.suite.results.summary import recompute


def test_what_all_cases_share_is_said_once() -> None:
    report = build([full()])
    assert report.common == ("size small", "cpu", "fp32", "batch 32")
    assert {view.detail for view in report.cases} == {""}
    assert {view.detail for view in build([on_gpu()]).cases} == {"cpu", "cuda:0"}


def test_runs_are_lettered() -> None:
    assert [label(i) for i in (0, 1, 25, 26, 27, 51, 52)] == ["A", "B", "Z", "AA", "AB", "AZ", "BA"]


def test_the_latest_run_of_a_machine_stands_in_the_charts() -> None:
    report = build([later(1, 1.0), later(3, 1.2), later(2, 1.1)])
    assert {view.run for view in report.shown} == {"B"}
    assert len(report.cases) == 18
    assert {view.run for view in build([full(), on_gpu()]).shown} == {"A", "B"}


def test_the_pedigree_of_an_intensity_names_its_year_once_and_its_range() -> None:
    used = full().emissions
    world = used.model_copy(update={"intensity": ember.WORLD})
    assert build([recompute(full(), world)]).runs[0].pedigree.count("2024") == 1
    ranged = Intensity(g_per_kwh=90.0, source="given", zone=None, low=60.0, high=120.0)
    pedigree = build([recompute(full(), used.model_copy(update={"intensity": ranged}))]).runs[0].pedigree
    assert "range 60 to 120 g/kWh" in pedigree
    assert "not known" not in pedigree


def test_best_is_only_what_lies_beyond_the_others_interval() -> None:
    report = build([full()])
    by_key = {view.key: view for view in report.cases}
    starred = {by_key[key].name for key, column in report.best if column == "throughput"}
    assert starred == {"PyTorch eager"}
    tie = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph", trials=trials(101, 50, 9))]
    assert build([summarised(run_file(tie))]).best == frozenset()
    mixed = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", trials=cases(kind="model")[1].trials)]
    assert "energy_per_item_j" not in {column for _, column in build([summarised(run_file(mixed))]).best}


def test_an_estimate_is_ranked_only_where_that_was_asked_for() -> None:
    estimated = [
        case(trials=trials(100, 50, 8, kind="model")),
        case(framework="tensorflow", mode="graph", trials=trials(50, 50, 9, kind="model")),
    ]
    file = summarised(run_file(estimated))
    assert {column for _, column in build([file]).best} == {"throughput", "step_time_s"}
    asked = file.model_copy(update={"settings": file.settings.model_copy(update={"allow_estimates": True})})
    assert "energy_per_item_j" in {column for _, column in build([asked]).best}


# --- anonymous --------------------------------------------------------------------------------------------------------
