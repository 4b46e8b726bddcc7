"""Run files -> plain, frozen data. Pure: what the figures draw and what the tests assert."""

from joulemark.reports.model.anonymous import anonymous
from joulemark.reports.model.cases import CaseView, views
from joulemark.reports.model.grid import Grid
from joulemark.reports.model.power import Line, power_lines
from joulemark.reports.model.report import Report, Zone, build
from joulemark.reports.model.runs import RunView
from joulemark.reports.model.validity import Warnings, warnings

__all__ = [
    "CaseView",
    "Grid",
    "Line",
    "Report",
    "RunView",
    "Warnings",
    "Zone",
    "anonymous",
    "build",
    "power_lines",
    "views",
    "warnings",
]
