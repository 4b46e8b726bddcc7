"""Every kind of input makes a page with all its charts, and charts show what is known and nothing else."""

from __future__ import annotations

import re

import pytest
from chromium import Open
from report_files import on_gpu, report_inputs
from run_files import case, energy, run_file, starting_at, trial

from joulemark.reports.html import render
from joulemark.reports.markers import marker
from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure, plotly_figure
from joulemark.reports.sections import all_figures
from joulemark.suite.carbon import ember
from joulemark.suite.records import EnergyReading, Kind, RunFile

INPUTS = report_inputs()


def figures_of(*runs: RunFile) -> dict[str, Figure]:
    return {figure.id: figure for figure in all_figures(build(runs))}


def kinds_of_charts(name: str) -> set[str]:
    return {id.partition("-")[0] for id in figures_of(*INPUTS[name])}


@pytest.mark.browser
@pytest.mark.parametrize("name", list(INPUTS))
def test_page_opens_and_draws(tab: Open, name: str) -> None:
    opened = tab(render(INPUTS[name], zones=tuple(ember.countries().values())))
    page = opened.open("zone=PL&items=100")
    opened.draw_all()
    report = build(INPUTS[name])
    assert page.locator(".plot").count() == len(all_figures(report))
    assert page.locator("#results > .scroll tbody tr").count() == sum(view.current for view in report.cases)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200


@pytest.mark.parametrize("name", list(INPUTS))
def test_figures_are_valid_for_plotly(name: str) -> None:
    for figure in figures_of(*INPUTS[name]).values():
        plotly_figure(figure)


def test_charts_are_drawn_if_they_have_data() -> None:
    assert "ratios" not in kinds_of_charts("one-framework")
    assert "ratios" in kinds_of_charts("two-frameworks-apart")
    assert not kinds_of_charts("no-sensors") & {"energy", "emissions", "pareto", "breakdown", "power"}
    assert kinds_of_charts("all-failed") == {"power"}
    assert {"comparison", "history"} <= kinds_of_charts("twelve-runs")
    assert "history" not in kinds_of_charts("two-machines")
    assert "batch" in kinds_of_charts("batches")
    assert "responses" not in kinds_of_charts("batches")
    assert "responses" in kinds_of_charts("responses")
    assert "batch" not in kinds_of_charts("responses")
    assert kinds_of_charts("no-cases") == {"power"}


def test_single_trials_have_no_interval_anywhere() -> None:
    drawn = figures_of(*INPUTS["one-trial"])
    for figure in drawn.values():
        for trace in figure.data:
            for axis in ("error_x", "error_y"):
                assert set(trace.get(axis, {}).get("array", [])) <= {None}
    assert not re.search(r"\d%", drawn["trials"].summary.partition(";")[0])  # of how trials vary nothing is known


def test_different_kinds_of_energy_are_not_joined_over_time() -> None:
    """A sensor that becomes readable on the third day must not look like a jump in energy."""
    days: list[tuple[Kind, float, list[EnergyReading]]] = [
        ("model", 40.0, []),
        ("model", 44.0, []),
        ("counter", 100.0, [energy(None, "dram")]),
        ("counter", 100.0, []),
        ("integrated", 110.0, []),
    ]
    runs = []
    for day, (kind, joules, missing) in enumerate(days, 1):
        of_day = [trial(number, readings=[energy(joules, kind=kind), *missing]) for number in (1, 2)]
        run = run_file([case(trials=of_day)], id=f"run-{day}")
        runs.append(starting_at(run, f"2026-11-0{day}T12:00:00Z"))
    figure = figures_of(*runs)["history"]
    assert [trace["y"] for trace in figure.data if trace["yaxis"] == "y"] == [[1.0] * 5]
    lines = {trace["hovertext"][0].partition(": ")[0]: trace for trace in figure.data if trace["yaxis"] == "y2"}
    assert {name: trace["y"] for name, trace in lines.items()} == {
        "estimated": [1.0, pytest.approx(1.1), None, None, None],
        "measured, lower bound": [None, None, 1.0, None, None],
        "measured": [None, None, None, 1.0, pytest.approx(1.1)],
    }
    assert [name for name, trace in lines.items() if trace["marker"]["symbol"].endswith("-open")] == ["estimated"]
    kinds = [row[-1] for row in figure.table.rows]
    assert kinds == ["estimated", "estimated", "measured, lower bound", "measured", "measured"]


def test_estimates_are_open_or_hatched_and_measurements_are_not() -> None:
    for name, estimated in (("estimates", True), ("full", False)):
        drawn = figures_of(*INPUTS[name])
        symbols = [trace["marker"]["symbol"] for trace in drawn["energy"].data if "marker" in trace]
        assert all(symbol.endswith("-open") == estimated for symbol in symbols)
        hatches = {hatch for t in drawn["breakdown"].data for hatch in t["marker"].get("pattern", {}).get("shape", [])}
        assert ("/" in hatches) == estimated
        dashes = {trace["line"]["dash"] for trace in drawn["power-a"].data if trace.get("meta", {}).get("ink")}
        assert dashes == {"solid"}  # the trace of these files is a counter's


def test_windows_have_the_colour_of_their_framework() -> None:
    power = figures_of(*INPUTS["full"])["power-a"]
    fills = {trace["name"]: trace["fillcolor"] for trace in power.data if "fillcolor" in trace}
    for name, framework in (("PyTorch", "pytorch"), ("TensorFlow", "tensorflow")):
        rgb = fills[f"{name} windows"].removeprefix("rgba(").partition(",0.")[0].split(",")
        assert "#" + "".join(f"{int(channel):02X}" for channel in rgb) == marker(framework, "eager").colour


def test_legend_entries_differ_in_shape_or_colour() -> None:
    for id, figure in figures_of(on_gpu(), *INPUTS["full"]).items():
        if id.partition("-")[0] in {"throughput", "energy", "trials", "drift", "roofline", "roof", "startup"}:
            assert figure.layout.get("showlegend", True)
            styles = [(str(t["marker"].get("symbol")), t["marker"]["color"]) for t in figure.data if "marker" in t]
            assert len(set(styles)) == len(styles), id


def test_summaries_compare_only_cases_of_one_row() -> None:
    """Images per second against matrix products per second say nothing; nor does a front of one."""
    full, alone = figures_of(*INPUTS["full"]), figures_of(*INPUTS["one-case"])
    for id in ("throughput", "energy", "memory", "emissions"):
        assert re.search(r"\d times (PyTorch|TensorFlow)", full[id].summary)
    # 300 and 0.8 x 300 items per second, and the same ratio for the others: 1.25, up to rounding to whole items.
    assert re.search(r"PyTorch eager at 1\.2\d times TensorFlow graph\.$", full["throughput"].summary)
    assert alone["throughput"].summary.startswith("Throughput of cnn training, PyTorch eager")
    assert "pareto-0" not in alone
    assert full["pareto-0"].title not in full["pareto-0"].summary
