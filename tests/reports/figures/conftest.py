"""The report of the full run and its figures."""

from __future__ import annotations

import pytest
from report_files import full

from joulemark.reports.model import Report, build
from joulemark.reports.plotting.figure import Figure
from joulemark.reports.sections import all_figures
from joulemark.suite.records import RunFile


@pytest.fixture(scope="session")
def run() -> RunFile:
    return full()


@pytest.fixture(scope="session")
def report(run: RunFile) -> Report:
    return build([run])


@pytest.fixture(scope="session")
def drawn(report: Report) -> dict[str, Figure]:
    """Return the figures by id."""
    return {figure.id: figure for figure in all_figures(report)}
