"""A user's own intensities from a CSV file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from joulemark.suite.carbon import intensity_csv
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.carbon.series import Basis
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings

NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)


def write_csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "grid.csv"
    path.write_text(text, encoding="utf-8")
    return path


HOURLY = "time,g_per_kwh\n2026-11-23T11:00Z,100\n2026-11-23T12:00Z,200\n2026-11-23T13:00Z,400\n"


def test_value_of_the_current_hour(tmp_path: Path) -> None:
    intensity = resolve(Settings(intensity=str(write_csv(tmp_path, HOURLY))), NOW)[0].intensity
    assert (intensity.g_per_kwh, intensity.interval_start, intensity.zone) == (200, "2026-11-23T12:00:00Z", None)
    assert intensity.source == "the user's file grid.csv"


def test_values_over_a_run(tmp_path: Path) -> None:
    span = (NOW - timedelta(hours=1), NOW)
    emissions, notices = resolve(Settings(intensity=str(write_csv(tmp_path, HOURLY))), NOW, None, span)
    assert [interval.g_per_kwh for interval in emissions.intervals] == [100, 200]
    assert emissions.intensity.g_per_kwh == pytest.approx((40 * 100 + 20 * 200) / 60)
    assert notices == ()


def test_run_outside_the_file_takes_the_nearest_value(tmp_path: Path) -> None:
    late = NOW + timedelta(hours=12)
    emissions, (notice,) = resolve(Settings(intensity=str(write_csv(tmp_path, HOURLY))), late)
    assert emissions.intensity.g_per_kwh == 400
    assert "nearest" in (emissions.intensity.reason or "")
    assert notice.value == pytest.approx(10.33, abs=0.01)


@pytest.mark.parametrize(
    "text",
    [
        HOURLY.replace("time,g_per_kwh", "datetime,carbonIntensity"),
        HOURLY.replace("Z,", "+00:00,"),
        HOURLY.replace("time,g_per_kwh", "Datetime (UTC),Carbon intensity gCO2eq/kWh (Life cycle)").replace("Z,", ","),
        "\ufeff" + HOURLY,
        HOURLY.replace("\n", "\r\n"),
        "value,extra,time\n200,x,2026-11-23T12:00Z\n100,,2026-11-23T11:00Z\n400,y,2026-11-23T13:00Z\n",
        "Datetime (UTC),Carbon intensity (direct),Carbon intensity (Life cycle)\n2026-11-23 12:00:00,20,200\n",
    ],
)
def test_columns_under_common_names(tmp_path: Path, text: str) -> None:
    assert intensity_csv.read(write_csv(tmp_path, text), "lifecycle").at(NOW).g_per_kwh == 200


def test_direct_column(tmp_path: Path) -> None:
    text = "Datetime (UTC),Carbon intensity (direct),Carbon intensity (Life cycle)\n2026-11-23 12:00:00,20,200\n"
    assert intensity_csv.read(write_csv(tmp_path, text), "direct").at(NOW).g_per_kwh == 20


@pytest.mark.parametrize(
    ("header", "row", "g_per_kwh"),
    [
        ("time,carbon intensity (kgCO2/kWh)", "0.403", 403),
        ("time,carbon_intensity_lb_per_mwh", "903", 409.594),
        ("time,carbon_intensity_tCO2_per_MWh", "0.623", 623),
        ("point_time,value,units", "903.0,lbs_co2_per_mwh", 409.594),
        ("time,kgCO2e/MWh", "403", 403),
        ("time,intensity (g CO₂eq/kWh)", "403", 403),
        ("time,tons per GWh", "403", 403),
        ("time,mg/Wh", "403", 403),
        ("time,intensity index,carbon intensity g/kWh", "2,123", 123),
        ("time,carbon intensity g/kWh,carbon intensity level", "123,2", 123),
    ],
)
def test_unit_is_that_of_the_header_or_the_row(tmp_path: Path, header: str, row: str, g_per_kwh: float) -> None:
    series = intensity_csv.read(write_csv(tmp_path, f"{header}\n2026-11-23T12:00Z,{row}\n"), "lifecycle")
    assert series.at(NOW).g_per_kwh == pytest.approx(g_per_kwh, rel=1e-5)


DOWNLOAD = "Datetime (UTC),Zone Id,Carbon Intensity gCO₂eq/kWh (direct),Carbon Intensity gCO₂eq/kWh (LCA),Low Carbon %"


@pytest.mark.parametrize(("factors", "g_per_kwh"), [("lifecycle", 33.3), ("direct", 18.3)])
def test_life_cycle_column_of_older_downloads(tmp_path: Path, factors: Basis, g_per_kwh: float) -> None:
    path = write_csv(tmp_path, f"{DOWNLOAD}\n2026-11-23 12:00:00,XX,18.3,33.3,98.1\n")
    assert intensity_csv.read(path, factors).at(NOW).g_per_kwh == g_per_kwh


@pytest.mark.parametrize(
    ("header", "factors", "message"),
    [
        (
            "time,intensity a,intensity b",
            "lifecycle",
            "values in 'intensity a', 'intensity b', and each of them may be",
        ),
        ("time,intensity (direct)", "lifecycle", "values in 'intensity (direct)', and none of them is of lifecycle"),
        ("time,intensity (LCA)", "direct", "values in 'intensity (LCA)', and none of them is of direct factors"),
        ("time,life cycle a g/kWh,life cycle b g/kWh", "lifecycle", "each of them may be meant"),
    ],
)
def test_column_that_cannot_be_told_is_refused(tmp_path: Path, header: str, factors: Basis, message: str) -> None:
    path = write_csv(tmp_path, f"{header}\n2026-11-23T12:00Z{',1' * header.count(',')}\n")
    with pytest.raises(UsageError) as caught:
        intensity_csv.read(path, factors)
    assert message in str(caught.value)


@pytest.mark.parametrize("stamp", ["1795435200", "1795435200000", "2026-11-23T13:00:00+01:00"])
def test_times_are_seconds_or_milliseconds_too(tmp_path: Path, stamp: str) -> None:
    series = intensity_csv.read(write_csv(tmp_path, f"time,g_per_kwh\n{stamp},39\n"), "lifecycle")
    assert series.points[0].start == NOW.replace(minute=0)


def test_times_in_the_zone_of_the_header(tmp_path: Path) -> None:
    text = "time (Europe/Zurich);g_per_kwh\n2026-11-23 13:00;39,2\n"
    (point,) = intensity_csv.read(write_csv(tmp_path, text), "lifecycle").points
    assert (point.start, point.g_per_kwh) == (NOW.replace(minute=0), 39.2)


def test_empty_cells_are_gaps(tmp_path: Path) -> None:
    series = intensity_csv.read(write_csv(tmp_path, HOURLY.replace("Z,200", "Z,")), "lifecycle")
    assert not series.covers(NOW, NOW + timedelta(minutes=1))
    assert [point.g_per_kwh for point in series.points] == [100, 400]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no intensities"),
        ("time,g_per_kwh\n", "has no intensities"),
        ("a,b\n1,2\n", "does not begin with the names of columns. Name one 'time'"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,\n", "has times but no intensities"),
        ("time,g_per_kwh\nyesterday,3\n", "row 2: "),
        ("time,g_per_kwh\n2026-11-23T12:00,3\n", "row 2: 2026-11-23T12:00 has no offset"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,3\n2026-11-23T13:00Z,abc\n", "row 3: could not convert"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,-3\n", "row 2: intensity is -3"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,39000\n", "row 2: intensity is 39000"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,nan\n", "row 2: intensity is nan"),
        ("time,g_per_kwh\n2026-11-23T12:00Z\n", "row 2: "),
        ("time,value,units\n2026-11-23T12:00Z,3,percent\n", "row 2: 'percent' is no unit of carbon intensity"),
        ("time,intensity (LCA)\n2026-11-23T12:00Z,0\n", "row 2: intensity is 0 g/kWh"),
    ],
)
def test_invalid_file_is_reported_with_the_row(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        intensity_csv.read(write_csv(tmp_path, text), "lifecycle")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the intensities"):
        intensity_csv.read(tmp_path, "lifecycle")
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        intensity_csv.read(tmp_path / "b", "lifecycle")
