"""The grid over windows that are marked one by one: each window has the value of its own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.meter.grid_cache import Grid
from joulemark.suite.records import Settings

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROWS = {0: 100.0, 30: 400.0, 60: 200.0, 90: 300.0}
"""By minutes after noon."""


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def write(path: Path, rows: dict[int, float]) -> Path:
    lines = [f"{at(minutes).isoformat()},{value}" for minutes, value in rows.items()]
    path.write_text("\n".join(["time,g_per_kwh", *lines]) + "\n")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "grid.csv", ROWS)


def test_each_window_of_a_finer_file_has_its_own_value(file: Path) -> None:
    grid, settings = Grid(), Settings(intensity=str(file))
    spans = {
        (at(10), at(10)): 100.0,  # as `check` asks before the first window
        (at(40), at(50)): 400.0,
        (at(5), at(6)): 100.0,
        (at(25), at(35)): 250.0,
        (at(15), at(75)): (15 * 100 + 30 * 400 + 15 * 200) / 60,
        (at(-600), at(-590)): 100.0,  # before the first row, the nearest
        (at(600), at(601)): 300.0,
    }
    for span, g_per_kwh in spans.items():
        emissions, notices = grid.over(settings, span)
        assert emissions.intensity.g_per_kwh == pytest.approx(g_per_kwh)
        assert (emissions, notices) == Grid().over(settings, span)


def test_a_border_that_several_values_lie_around_is_listed(file: Path) -> None:
    emissions, _ = Grid().over(Settings(intensity=str(file)), (at(25), at(35)))
    assert [part.g_per_kwh for part in emissions.intervals] == [100.0, 400.0]


def test_a_file_that_grows_is_read_again(file: Path) -> None:
    grid, settings = Grid(), Settings(intensity=str(file))
    assert grid.over(settings, (at(125), at(126)))[0].intensity.g_per_kwh == 300.0
    write(file, {**ROWS, 120: 50.0})
    assert grid.over(settings, (at(125), at(126)))[0].intensity.g_per_kwh == 50.0


def test_a_file_that_is_not_there_is_told_as_to_a_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a number of g/kWh nor a file that exists"):
        Grid().over(Settings(intensity=str(tmp_path / "none.csv")), (at(0), at(1)))
