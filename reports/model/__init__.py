"""Run files -> plain, frozen data. Pure: what the figures draw and what the tests assert."""

from reports.model.anonymous import anonymous
from reports.model.cases import CaseView, views
from reports.model.grid import Grid
from reports.model.power import Line, power_lines
from reports.model.report import Report, Zone, build
from reports.model.runs import RunView
from reports.model.validity import Warnings, warnings

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
