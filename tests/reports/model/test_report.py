"""The data of a report: labels, current cases, provenance, and the best of each group."""

from __future__ import annotations

from report_files import cases, full, on_gpu, run_on_day, summarised, trials
from run_files import case, run_file

from joulemark.reports.model import build
from joulemark.reports.model.cases import run_label
from joulemark.suite.carbon import ember
from joulemark.suite.records import Intensity
from joulemark.suite.results.summary import recompute


def test_labels_that_all_cases_share_stand_once() -> None:
    report = build([full()])
    assert report.common == ("size small", "cpu", "fp32", "batch 32")
    assert {view.detail for view in report.cases} == {""}
    assert {view.detail for view in build([on_gpu()]).cases} == {"cpu", "cuda:0"}


def test_runs_are_lettered() -> None:
    assert [run_label(i) for i in (0, 1, 25, 26, 27, 51, 52)] == ["A", "B", "Z", "AA", "AB", "AZ", "BA"]


def test_charts_show_the_latest_run_of_a_machine() -> None:
    report = build([run_on_day(1, 1.0), run_on_day(3, 1.2), run_on_day(2, 1.1)])
    assert {view.run for view in report.shown} == {"B"}
    assert len(report.cases) == 18
    assert {view.run for view in build([full(), on_gpu()]).shown} == {"A", "B"}


def test_intensity_provenance_has_year_once_and_range() -> None:
    emissions = full().emissions
    world = emissions.model_copy(update={"intensity": ember.WORLD})
    assert build([recompute(full(), world)]).runs[0].intensity_provenance.count("2024") == 1
    ranged = Intensity(g_per_kwh=90.0, source="given", zone=None, low=60.0, high=120.0)
    run = recompute(full(), emissions.model_copy(update={"intensity": ranged}))
    provenance = build([run]).runs[0].intensity_provenance
    assert "60 to 120 g/kWh" in provenance
    assert "unknown" not in provenance


def test_best_is_only_what_lies_beyond_the_others_intervals() -> None:
    report = build([full()])
    by_key = {view.key: view for view in report.cases}
    assert {by_key[key].name for key, column in report.best if column == "throughput"} == {"PyTorch eager"}
    tie = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", mode="graph", trials=trials(101, 50, 9))]
    assert build([summarised(run_file(tie))]).best == frozenset()
    mixed = [case(trials=trials(100, 50, 8)), case(framework="tensorflow", trials=cases(kind="model")[1].trials)]
    assert "energy_per_item_j" not in {column for _, column in build([summarised(run_file(mixed))]).best}


def test_estimates_are_ranked_only_if_allowed() -> None:
    estimated = [
        case(trials=trials(100, 50, 8, kind="model")),
        case(framework="tensorflow", mode="graph", trials=trials(50, 50, 9, kind="model")),
    ]
    file = summarised(run_file(estimated))
    assert {column for _, column in build([file]).best} == {"throughput", "step_time_s"}
    allowed = file.model_copy(update={"settings": file.settings.model_copy(update={"allow_estimates": True})})
    assert "energy_per_item_j" in {column for _, column in build([allowed]).best}
