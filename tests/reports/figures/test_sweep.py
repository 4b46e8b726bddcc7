"""The chart of a sweep: its points, its front, the sets of the best settings, and what stands beside them."""

from __future__ import annotations

import pytest
from run_files import energy, run_file
from swept_runs import LIMITS_W, make_run, swept_threads

from joulemark.reports.figures.sweep import figures
from joulemark.reports.model import build
from joulemark.reports.sections import all_figures
from joulemark.suite.stats.sweep.analysis import analyse


@pytest.fixture(scope="module")
def report():
    return build([make_run(host_watts=2000.0, confirmed=(600, 700), zone="CH")])


def traces(figure):
    return {trace["name"]: trace for trace in figure.data}


def test_marks_are_the_settings_and_rings_the_sets(report) -> None:
    charged, machine = figures(report)
    (found,) = analyse(report.runs[0].file)
    by_name = traces(charged)
    marks = by_name["on the front (diamond: default)"]
    assert marks["hovertext"] == [f"{limit_w} W" for limit_w in LIMITS_W]
    assert marks["x"] == pytest.approx([1 / point.speed.value for point in found.points], rel=1e-5)
    assert marks["y"] == pytest.approx([point.energy_j.value for point in found.points], rel=1e-5)
    assert marks["marker"]["symbol"] == ["circle", "circle", "circle", "diamond"]
    assert by_name["Pareto front"]["x"] == sorted(marks["x"])
    ring = by_name["least joules at 5 % slow-down at most"]
    assert ring["x"] == pytest.approx([1 / point.speed.value for point in found.choices["joules"].candidates], rel=1e-5)
    square = by_name["least energy-delay product"]
    assert len(square["x"]) == len(found.choices["delay_product"].candidates)
    # Speed falls to 95 % of the default's.
    assert by_name["5 % slower than the default"]["x"][0] == pytest.approx(marks["x"][3] / 0.95, rel=1e-5)
    node = traces(machine)["on the front (diamond: default)"]
    assert node["y"][-1] == pytest.approx(found.points[-1].node_energy_j.value, rel=1e-5)


def test_page_says_first_what_the_best_setting_gains(report) -> None:
    (sentence,) = report.headline.sentences
    assert sentence.startswith("cnn training, PyTorch, cpu: at 600 W: ")
    assert " fewer joules for " in sentence
    charged, machine = figures(report)
    assert charged.summary == sentence
    assert "The power limit does not bind at 700 W" in charged.footnote
    assert "fewer joules of the whole machine" in machine.summary or "the default, 700 W" in machine.summary
    assert [row[0] for row in charged.table.rows] == [f"{limit_w} W" for limit_w in LIMITS_W]
    # Settings are not drawn twice.
    assert {figure.id.partition("-")[0] for figure in all_figures(report)}.isdisjoint({"pareto"})


def test_estimated_joules_are_named_and_their_marks_open() -> None:
    (figure,) = figures(build([swept_threads(kind="model", allow_estimates=True, confirmed=(600, 700), zone="CH")]))
    assert figure.layout["yaxis"]["title"]["text"] == "estimated joules per image"
    assert " fewer estimated joules for " in figure.summary
    by_name = traces(figure)
    assert "least estimated joules at 5 % slow-down at most" in by_name
    assert set(by_name["on the front (diamond: default)"]["marker"]["symbol"]) == {"circle-open", "diamond-open"}


def test_marks_off_the_front_are_smaller_and_as_solid() -> None:
    run = make_run(zone="CH")
    worse = [each.model_copy(update={"energy": (energy(1e9),)}) for each in run.cases[0].trials]
    case = run.cases[0].model_copy(update={"trials": tuple(worse)})
    (figure,) = figures(build([run.model_copy(update={"cases": (case, *run.cases[1:])})]))
    on, off = (
        traces(figure)[name]["marker"] for name in ("on the front (diamond: default)", "off the front (smaller)")
    )
    assert off["symbol"] == ["circle"]
    assert max(off["size"]) < min(on["size"])


def test_page_ranks_speed_and_says_why_where_energy_is_estimated() -> None:
    report = build([swept_threads(kind="model", zone="CH")])
    (sentence,) = report.headline.sentences
    assert "the default, 4 threads, is the fastest that was found. Energy is estimated, not measured: " in sentence
    assert sentence.endswith("--allow-estimates` ranks estimated joules.")


def test_names_are_harmless_without_names() -> None:
    report = build([make_run(zone="CH")], anonymous=True)
    assert len(figures(report)) == 1


def test_other_runs_have_no_such_chart() -> None:
    assert figures(build([run_file()])) == []
