"""All figures of a page, in order. A figure without data is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from joulemark.reports.figures.base import Figure
from joulemark.reports.figures.batch import batch_figures
from joulemark.reports.figures.breakdown import breakdown_figure
from joulemark.reports.figures.emissions import emissions_figure
from joulemark.reports.figures.history import comparison_figure, history_figure
from joulemark.reports.figures.opinion import opinion_figures
from joulemark.reports.figures.pareto import pareto_figures
from joulemark.reports.figures.power import power_figures
from joulemark.reports.figures.quantities import energy_figure, memory_figure, throughput_figure
from joulemark.reports.figures.ratios import arm_ratios, framework_ratios
from joulemark.reports.figures.roofline import roofline_figures
from joulemark.reports.figures.start import start_figure
from joulemark.reports.figures.trials import drift_figures, trials_figure
from joulemark.reports.model.report import Report

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure


@dataclass(frozen=True)
class Section:
    """A part of the page with the figures that belong together."""

    id: str
    title: str
    short: str
    """For the bar on top."""
    figures: tuple[Figure, ...] = ()


# In the order of the page; figures find their section by the first word of their id.
_SECTIONS = (
    (("arms",), Section("arms", "Arm against arm", "Arms")),
    (("ratios",), Section("ratios", "Framework against framework", "Ratios")),
    (("throughput", "energy"), Section("cases", "Speed and energy by case", "Speed and energy")),
    (("pareto",), Section("pareto", "Speed against energy", "Trade-off")),
    (("breakdown",), Section("breakdown", "Where the energy goes", "Breakdown")),
    (("emissions",), Section("emissions", "Emissions", "Emissions")),
    (("roofline", "roof"), Section("roofline", "Share of what the machine can do", "Roofline")),
    (("power",), Section("power", "Power over time", "Power")),
    (("trials", "drift"), Section("trials", "Every trial, and drift", "Trials")),
    (("start", "memory"), Section("cost", "Start, compilation and memory", "Start and memory")),
    (("batch",), Section("batch", "Batch size", "Batch")),
    (("comparison",), Section("comparison", "Against the first run", "Comparison")),
    (("history",), Section("history", "Over time", "History")),
    (("opinion",), Section("opinion", "A second opinion", "Second opinion")),
)


def figures(report: Report) -> tuple[Figure, ...]:
    """Every figure that the report has data for, in the order of the page."""
    found: list[Figure | None] = [
        arm_ratios(report),
        framework_ratios(report),
        throughput_figure(report),
        energy_figure(report),
        *pareto_figures(report),
        breakdown_figure(report),
        emissions_figure(report),
        *roofline_figures(report),
        *power_figures(report),
        trials_figure(report),
        *drift_figures(report),
        start_figure(report),
        memory_figure(report),
        *batch_figures(report),
        comparison_figure(report),
        history_figure(report),
        *opinion_figures(report),
    ]
    return tuple(figure for figure in found if figure is not None)


def sections(report: Report, drawn: Sequence[Figure]) -> tuple[Section, ...]:
    """The sections of a page that have figures, with them; that of a comparison too where nothing can be compared."""
    found = []
    for names, section in _SECTIONS:
        own = tuple(figure for figure in drawn if figure.id.partition("-")[0] in names)
        if own or (section.id == "comparison" and report.comparison is not None):
            found.append(replace(section, figures=own))
    return tuple(found)


def plotly_figure(figure: Figure, template: dict[str, Any] | None = None) -> PlotlyFigure:
    """`figure` as one of Plotly's own, every name in it checked (ValueError), for its image export."""
    from plotly.graph_objects import Figure as PlotlyFigure

    return PlotlyFigure({"data": figure.data, "layout": {**figure.layout, "template": template}})
