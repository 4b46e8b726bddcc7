"""Pages in a browser: every test here needs one."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from report_files import full, summarised, trials
from run_files import case, run_file

from joulemark.reports import history_page
from joulemark.reports.html import render
from joulemark.suite.carbon import ember
from joulemark.suite.records import RunFile
from joulemark.suite.results.history.series import Point, Series

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as one that needs a browser."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def html() -> str:
    """Return the page of the full run, with all countries."""
    return render([full()], zones=tuple(ember.countries().values()))


@pytest.fixture(scope="session")
def many_cases() -> RunFile:
    """Return a run of 44 cases in five rounds: more rows than a chart is drawn in at once, or a table written out."""
    made = [case(f"w{i:02d}", trials=trials(100.0 + i, 50.0, 5.0 + i, rounds=5)) for i in range(44)]
    return summarised(run_file(made))


@pytest.fixture(scope="session")
def history() -> str:
    """Return the history page of one case in twelve runs."""
    start = datetime(2026, 11, 1)
    points = tuple(
        Point(f"r{i}", start + timedelta(days=i), 100.0 + i % 3, 99.0, 104.0, 3, {"framework": "2.13.0"})
        for i in range(12)
    )
    series = Series(
        case="cnn:small/training/pytorch/eager/cpu/fp32/b32",
        metric="throughput",
        unit="images/s",
        better="higher",
        fingerprint="aabbccddeeff",
        hostname="bench-1",
        workload_version="0123456789ab",
        kind=None,
        points=points,
        runs_without_value=0,
        changes=(),
    )
    return history_page.render([series])
