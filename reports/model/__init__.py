"""Run files -> the data of a report, plain and frozen: what figures draw and tests assert. Pure."""

from joulemark.reports.model.report import Report, build

__all__ = ["Report", "build"]
