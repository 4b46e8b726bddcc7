"""The figure of all GPUs with one case."""

from __future__ import annotations

import pytest
from gpu_runs import GPU_W, run_on

from joulemark.reports.figures.gpus import figures
from joulemark.reports.model.report import build
from joulemark.reports.plotting.figure import plotly_figure
from joulemark.reports.sections import sections

HEALTHY = (1.0, 1.004, 0.997, 1.002, 0.999, 1.001, 0.998, 1.003)


def test_each_gpu_has_its_rate_and_watts_alone_and_at_once_and_slow_ones_a_label():
    report = build([run_on([*HEALTHY[:-1], 0.95], warm={3: 0.8})])
    (figure,) = figures(report)
    plotly_figure(figure)  # raises for a name that Plotly does not know
    alone, at_once, watts_alone, watts_at_once = figure.data
    assert [trace["xaxis"] for trace in figure.data] == ["x", "x", "x2", "x2"]
    assert alone["x"][7] / alone["x"][0] == pytest.approx(0.95, abs=0.003)
    assert at_once["x"][3] / at_once["x"][0] == pytest.approx(0.8, abs=0.003)
    assert watts_alone["x"] == watts_at_once["x"] == [pytest.approx(GPU_W + 10 * i) for i in range(8)]
    labels = figure.layout["yaxis"]["ticktext"]
    assert (labels[0], labels[7], labels[3]) == ("cuda:0", "<b>cuda:7: slow</b>", "<b>cuda:3: slow</b>")
    assert "cuda:7 is slow" in figure.summary
    verdicts = [row[1] for row in figure.table.rows]
    assert verdicts[3] == "slow together (thermal)"
    assert "gpus" in [section.id for section, _ in sections(report)]


def test_of_many_gpus_only_slow_ones_have_a_label_and_a_run_on_others_has_no_figure():
    speeds = [1 + 0.001 * (i % 5) for i in range(79)]
    (figure,) = figures(build([run_on([*speeds, 0.9], rounds=2, sensors=False)]))
    assert figure.layout["yaxis"]["ticktext"] == ["<b>cuda:79: slow</b>"]
    assert figure.footnote.startswith("No readable sensor: cuda:0; ")
    alone = run_on(HEALTHY[:2])
    assert figures(build([alone.model_copy(update={"cases": alone.cases[:2]})])) == []
