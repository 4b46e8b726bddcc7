"""The present carbon intensity, from a file that changes and from values that stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_server import wait_until

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings
from joulemark.suite.watch.grid import PERIOD_S, Grid

NOW = datetime.now(UTC)


def write(path, value: float) -> None:
    rows = [f"{(NOW + timedelta(hours=n)).isoformat()},{value}" for n in range(-2, 3)]
    path.write_text("\n".join(["datetime,carbon_intensity", *rows]) + "\n")


def test_a_file_is_read_again_and_a_problem_keeps_the_last_value(tmp_path):
    path, now_s = tmp_path / "grid.csv", [0.0]
    write(path, 100.0)
    grid = Grid(Settings(intensity=str(path)), lambda: now_s[0])
    assert grid.current().intensity.g_per_kwh == pytest.approx(100)
    write(path, 250.0)
    assert grid.current().intensity.g_per_kwh == pytest.approx(100)  # not yet
    now_s[0] = PERIOD_S
    wait_until(lambda: grid.current().intensity.g_per_kwh == pytest.approx(250), "the file was not read again")
    path.unlink()
    now_s[0] = 2 * PERIOD_S
    wait_until(lambda: grid.current() is not None and grid.problem is not None, "the problem was not noticed")
    assert "grid.csv" in grid.problem
    assert grid.current().intensity.g_per_kwh == pytest.approx(250)
    write(path, 300.0)
    now_s[0] = 3 * PERIOD_S
    wait_until(lambda: grid.current().intensity.g_per_kwh == pytest.approx(300), "the file was not read again")
    assert grid.problem is None


def test_settings_that_cannot_be_met_are_an_error_at_once(tmp_path):
    with pytest.raises(UsageError, match="neither a number"):
        Grid(Settings(intensity=str(tmp_path / "missing.csv")))
