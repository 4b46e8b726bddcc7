"""The sections of the page and their charts. A chart is one file in `figures` and its name in `SECTIONS`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from typing import Final

from joulemark.reports.model.report import Report
from joulemark.reports.plotting.figure import Figure


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    id: str
    title: str
    short_title: str
    """For the navigation bar."""
    charts: tuple[str, ...]
    """Modules of `joulemark.reports.figures`, each with `figures(report)`, in the order of the section."""


SECTIONS: Final = (
    Section("machines", "Machines in order", "Machines", ("several.machines",)),
    Section("arms", "A/B arms", "Arms", ("arms",)),
    Section("sweep", "Settings of the sweep", "Sweep", ("sweep",)),
    Section("gpus", "All GPUs at once", "GPUs", ("gpus",)),
    Section("ratios", "Framework over framework", "Ratios", ("ratios",)),
    Section("beside", "Beside reference machines", "Reference machines", ("several.beside",)),
    Section("cases", "Speed and energy by case", "Speed and energy", ("speed_and_energy",)),
    Section("responses", "Responses of language models", "Responses", ("responses",)),
    Section("pareto", "Speed versus energy", "Trade-off", ("pareto",)),
    Section("breakdown", "Where the energy goes", "Breakdown", ("breakdown",)),
    Section("emissions", "Emissions", "Emissions", ("emissions",)),
    Section("roofline", "Share of attainable performance", "Roofline", ("roofline",)),
    Section("power", "Power over time", "Power", ("power",)),
    Section("trials", "Trials and drift", "Trials", ("trials",)),
    Section("cost", "Startup, compilation and memory", "Startup and memory", ("startup", "memory")),
    Section("batch", "Batch size", "Batch", ("batch",)),
    Section("ranks", "Several ranks", "Ranks", ("ranks",)),
    Section("comparison", "Comparison with the first run", "Comparison", ("several.comparison",)),
    Section("history", "History", "History", ("several.history",)),
    Section("tracker", "Second opinion", "Second opinion", ("external_tracker",)),
)

SectionFigures = tuple[Section, tuple[Figure, ...]]


def sections(report: Report) -> tuple[SectionFigures, ...]:
    """Return the sections that have figures, and a comparison also without: it then lists why."""
    drawn = ((section, _figures(section, report)) for section in SECTIONS)
    return tuple(
        (section, figures)
        for section, figures in drawn
        if figures or (section.id == "comparison" and report.comparison is not None)
    )


def all_figures(report: Report) -> tuple[Figure, ...]:
    """Return every figure that the report has data for, in the order of the page."""
    return tuple(chain.from_iterable(figures for _, figures in sections(report)))


def _figures(section: Section, report: Report) -> tuple[Figure, ...]:
    drawn: list[Sequence[Figure]] = [
        import_module(f"joulemark.reports.figures.{chart}").figures(report) for chart in section.charts
    ]
    return tuple(chain.from_iterable(drawn))
