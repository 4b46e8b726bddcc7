"""The grid over windows that are measured one by one: each has the intensity of its own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from run_files import CH

from joulemark.suite.errors import UsageError
from joulemark.suite.meter.grid_cache import GridCache, weighted_by_energy
from joulemark.suite.records import Emissions, GridInterval, Pue, Settings

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROWS = {0: 100.0, 30: 400.0, 60: 200.0, 90: 300.0}
"""Minutes after noon -> g/kWh."""


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def write(path: Path, rows: dict[int, float]) -> Path:
    lines = [f"{at(minutes).isoformat()},{value}" for minutes, value in rows.items()]
    path.write_text("\n".join(["time,g_per_kwh", *lines]) + "\n")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "grid.csv", ROWS)


def test_each_window_has_its_own_value_of_a_fine_file(file: Path) -> None:
    grid, settings = GridCache(), Settings(intensity=str(file))
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
        emissions, notices = grid.inputs(settings, span)
        assert emissions.intensity.g_per_kwh == pytest.approx(g_per_kwh)
        assert (emissions, notices) == GridCache().inputs(settings, span)


def test_the_intervals_of_a_window_are_listed(file: Path) -> None:
    emissions, _ = GridCache().inputs(Settings(intensity=str(file)), (at(25), at(35)))
    assert [interval.g_per_kwh for interval in emissions.intervals] == [100.0, 400.0]


def test_a_file_that_grows_is_read_again(file: Path) -> None:
    grid, settings = GridCache(), Settings(intensity=str(file))
    assert grid.inputs(settings, (at(125), at(126)))[0].intensity.g_per_kwh == 300.0
    write(file, {**ROWS, 120: 50.0})
    assert grid.inputs(settings, (at(125), at(126)))[0].intensity.g_per_kwh == 50.0


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "missing.csv"
    with pytest.raises(UsageError, match=str(path)):
        GridCache().inputs(Settings(intensity=str(path)), (at(0), at(1)))


def test_intervals_are_weighted_by_energy() -> None:
    intervals = tuple(
        GridInterval(start=at(60 * n).isoformat(), end=at(60 * n + 60).isoformat(), g_per_kwh=value)
        for n, value in enumerate((100.0, 200.0, 400.0))
    )
    without = Emissions(intensity=CH, pue=Pue(value=1.5, source="test"))
    emissions = without.model_copy(update={"intervals": intervals})
    span = (at(30), at(150))
    energies_j = {at(30): 30.0, at(60): 60.0, at(120): 10.0}
    weighted = weighted_by_energy(emissions, span, lambda part: energies_j[part[0]])
    assert weighted.intensity.g_per_kwh == pytest.approx((30 * 100 + 60 * 200 + 10 * 400) / 100)
    assert weighted_by_energy(without, span, lambda part: 1.0) is without
