"""The breakdown of energy: idle shares, missing components, and the overhead of PUE."""

from __future__ import annotations

from report_files import full, on_gpu

from joulemark.reports.model import build
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.sections import all_figures
from joulemark.suite.records import Pue, RunFile
from joulemark.suite.results.summary import recompute


def breakdown(run: RunFile) -> Figure:
    return next(figure for figure in all_figures(build([run])) if figure.id == "breakdown")


def test_unknown_idle_power_is_not_drawn_as_load() -> None:
    figure = breakdown(on_gpu())
    traces = {trace["name"]: trace for trace in figure.data}
    assert "package, idle" in traces
    for component in ("dram", "gpu"):
        assert component not in traces  # in full colour it would be what the load added
        assert traces[f"{component}, idle share unknown"]["marker"]["line"]["width"]
    assert "idle power of dram and gpu is unknown" in figure.summary
    assert "idle power of dram is unknown" in breakdown(full()).summary


def test_missing_components_are_hatched_and_named() -> None:
    figure = breakdown(on_gpu())
    missing = next(trace for trace in figure.data if trace["name"] == "not measured")
    assert any(missing["x"])
    assert "module: absent" in figure.footnote


def test_overhead_is_in_the_legend_only_if_there_is_one() -> None:
    def in_legend(pue: float) -> bool:
        used = full().emissions.model_copy(update={"pue": Pue(value=pue, source="given")})
        figure = breakdown(recompute(full(), used))
        return bool(next(trace for trace in figure.data if trace["name"] == "PUE overhead")["showlegend"])

    assert in_legend(1.2)
    assert not in_legend(1.0)
