"""Every way that a run can go makes a page without an error, with all its charts."""

from __future__ import annotations

import re

import pytest
from chromium import Open
from report_files import full, on_gpu, summarised, ways
from run_files import case, energy, run_file, trial

from joulemark.reports.figures import figures, plotly_figure
from joulemark.reports.html import render
from joulemark.reports.model import build
from joulemark.suite.carbon import ember
from joulemark.suite.records import EnergyReading, Kind, Pue
from joulemark.suite.results.summary import recompute

WAYS = ways()


@pytest.mark.parametrize("name", list(WAYS))
def test_the_page_opens_and_draws(tab: Open, name: str) -> None:
    opened = tab(render(WAYS[name], zones=tuple(ember.countries().values())))
    page = opened.open("zone=PL&items=100")
    opened.draw_all()
    report = build(WAYS[name])
    assert page.locator(".plot").count() == len(figures(report))
    assert page.locator("#results > .scroll tbody tr").count() == sum(view.current for view in report.cases)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


@pytest.mark.parametrize("name", list(WAYS))
def test_plotly_knows_every_name_in_the_figures(name: str) -> None:
    for figure in figures(build(WAYS[name])):
        plotly_figure(figure)


def sections(name: str) -> set[str]:
    return {figure.id.partition("-")[0] for figure in figures(build(WAYS[name]))}


def test_figures_are_there_when_their_data_is() -> None:
    assert "ratios" not in sections("one-framework")
    assert "ratios" in sections("two-frameworks-apart")
    assert not sections("no-sensors") & {"energy", "emissions", "pareto", "breakdown", "power"}
    assert sections("all-failed") == {"power"}
    assert {"comparison", "history"} <= sections("twelve-runs")
    assert "history" not in sections("two-machines")
    assert "batch" in sections("batches")
    assert sections("no-cases") == {"power"}


def test_what_has_neither_a_load_nor_a_first_call_has_no_chart_of_starts() -> None:
    """`joulemark measure` has steps alone: their dearest first call was said to be of 0 s."""
    own = [t.model_copy(update={"load_s": None, "first_call_s": None}) for t in (trial(), trial(2))]
    found = figures(build([summarised(run_file([case(trials=own)]))]))
    assert found
    assert "start" not in {figure.id for figure in found}
    loaded = [t.model_copy(update={"load_s": 2.0}) for t in own]
    (start,) = [f for f in figures(build([summarised(run_file([case(trials=loaded)]))])) if f.id == "start"]
    assert start.finding.startswith("The longest load: ")
    assert start.finding.endswith(", 2.00 s.")


def test_one_trial_has_no_interval_anywhere() -> None:
    for figure in figures(build(WAYS["one-trial"])):
        for line in figure.data:
            for axis in ("error_x", "error_y"):
                assert set(line.get(axis, {}).get("array", [])) <= {None}


def test_energy_of_unlike_kinds_is_no_line_over_time() -> None:
    """A sensor that becomes readable on the third day is no jump of a factor."""
    known: list[tuple[Kind, float, list[EnergyReading]]] = [
        ("model", 40.0, []),
        ("model", 44.0, []),
        ("counter", 100.0, [energy(None, "dram")]),
        ("counter", 100.0, []),
        ("integrated", 110.0, []),
    ]
    runs = []
    for day, (kind, joules, missing) in enumerate(known, 1):
        ran = [trial(number, readings=[energy(joules, kind=kind), *missing]) for number in (1, 2)]
        run = run_file([case(trials=ran)], id=f"run-{day}")
        started = run.run.model_copy(update={"started_at": f"2026-11-0{day}T12:00:00Z"})
        runs.append(summarised(run.model_copy(update={"run": started})))
    (figure,) = (figure for figure in figures(build(runs)) if figure.id == "history")
    assert [line["y"] for line in figure.data if line["yaxis"] == "y"] == [[1.0] * 5]
    lines = {line["hovertext"][0].partition(": ")[0]: line for line in figure.data if line["yaxis"] == "y2"}
    assert {name: line["y"] for name, line in lines.items()} == {
        "estimated": [1.0, pytest.approx(1.1), None, None, None],
        "measured, lower bound": [None, None, 1.0, None, None],
        "measured": [None, None, None, 1.0, pytest.approx(1.1)],
    }
    assert [name for name, line in lines.items() if line["marker"]["symbol"].endswith("-open")] == ["estimated"]
    kinds = [row[-1] for row in figure.table.rows]
    assert kinds == ["estimated", "estimated", "measured, lower bound", "measured", "measured"]


def test_estimates_are_open_or_hatched_and_measurements_are_not() -> None:
    for name, estimated in (("estimates", True), ("full", False)):
        drawn = {figure.id: figure for figure in figures(build(WAYS[name]))}
        marks = [t["marker"]["symbol"] for t in drawn["energy"].data if "marker" in t]
        assert all(mark.endswith("-open") == estimated for mark in marks)
        shapes = {s for t in drawn["breakdown"].data for s in t["marker"].get("pattern", {}).get("shape", [])}
        assert ("/" in shapes) == estimated
        dashes = {t["line"]["dash"] for t in drawn["power-a"].data if t.get("meta", {}).get("ink")}
        assert dashes == {"solid"}  # the trace of these files is a counter's


def test_what_is_drawn_at_rest_is_never_taken_for_load_where_it_is_not_known() -> None:
    figure = next(f for f in figures(build([on_gpu()])) if f.id == "breakdown")
    names = {t["name"]: t for t in figure.data}
    assert "package at rest" in names
    for unread in ("dram", "gpu"):
        assert unread not in names  # in full colour it would be what the load added
        assert names[f"{unread}, of it at rest not known"]["marker"]["line"]["width"]
    assert "what dram and gpu draw at rest is not known" in figure.finding


def test_every_entry_of_a_legend_has_a_look_of_its_own() -> None:
    for figure in figures(build([on_gpu(), full()])):
        if figure.id.partition("-")[0] in {"throughput", "energy", "trials", "drift", "roofline", "roof", "start"}:
            assert figure.layout.get("showlegend", True)
            looks = [(str(t["marker"].get("symbol")), t["marker"]["color"]) for t in figure.data if "marker" in t]
            assert len(set(looks)) == len(looks), figure.id


def test_an_overhead_that_is_none_has_no_entry_in_the_legend() -> None:
    def listed(pue: float) -> bool:
        used = full().emissions.model_copy(update={"pue": Pue(value=pue, source="given")})
        figure = next(f for f in figures(build([recompute(full(), used)])) if f.id == "breakdown")
        return bool(next(t for t in figure.data if t["name"] == "PUE overhead")["showlegend"])

    assert listed(1.2)
    assert not listed(1.0)


def test_findings_hold_like_against_like() -> None:
    """Images a second against matrix products a second say nothing; nor does a front of one."""
    drawn = {figure.id: figure.finding for figure in figures(build(WAYS["full"]))}
    for name in ("throughput", "energy", "memory", "emissions"):
        assert "Farthest apart in one row: " in drawn[name]
    # 300 and 0.8 x 300 items a second, and as much for the others: 1.25 to the tenths that whole items leave.
    assert re.search(r"PyTorch eager at 1\.2\d times TensorFlow graph\.$", drawn["throughput"])
    alone = {figure.id: figure.finding for figure in figures(build(WAYS["one-case"]))}
    assert alone["pareto-0"] == "cnn training: Nothing beside it to weigh it against: PyTorch eager."
    assert alone["throughput"].startswith("Throughput of cnn training, PyTorch eager")
    several = {figure.id: figure for figure in figures(build(WAYS["full"]))}
    assert several["pareto-0"].title not in several["pareto-0"].finding


def test_what_was_not_measured_is_hatched_and_named() -> None:
    figure = next(f for f in figures(build([on_gpu()])) if f.id == "breakdown")
    stub = next(t for t in figure.data if t["name"] == "not measured")
    assert any(x for x in stub["x"])
    assert "module: absent" in figure.note


def test_cold_and_warm_first_calls_are_apart() -> None:
    figure = next(f for f in figures(build([on_gpu()])) if f.id == "start")
    names = {t["name"]: t for t in figure.data}
    assert set(names["first call, cold cache"]["x"]) == {30.0}
    assert set(names["first call, warm cache"]["x"]) == {4.0}
    pays = {row[0]: row[-1] for row in figure.table.rows}
    step_s = {view.full: view.quantity("step_time_s").value for view in build([on_gpu()]).shown}
    saved_s = step_s["cnn training, PyTorch eager, cuda:0"] - step_s["cnn training, PyTorch compile, cuda:0"]
    assert pays["cnn training, PyTorch compile, cuda:0"] == pytest.approx((30.0 - 0.4) / saved_s)
    assert pays["cnn training, PyTorch eager, cuda:0"] == "is eager"
