"""What people give for intensity, PUE and embodied emissions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from joulemark.suite.carbon import inputs, intensity_csv
from joulemark.suite.carbon.presets import PUES
from joulemark.suite.carbon.resolve import resolve
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Settings

NOW = datetime(2026, 11, 23, 12, 20, tzinfo=UTC)


@pytest.mark.parametrize("given", [1.2, "1.2", " 1.2 ", "12e-1", "1.2..1.2..1.2"])
def test_a_number_is_a_number_however_it_comes(given: float | str) -> None:
    assert inputs.parse_pue(given).value == 1.2


def test_a_range_goes_with_the_value() -> None:
    found = resolve(Settings(intensity="30..39..45", pue="1.1..1.2..1.5"), NOW)[0]
    assert (found.intensity.low, found.intensity.g_per_kwh, found.intensity.high) == (30, 39, 45)
    assert (found.pue.low, found.pue.value, found.pue.high) == (1.1, 1.2, 1.5)


@pytest.mark.parametrize("name", PUES)
def test_presets_are_sound(name: str) -> None:
    found = inputs.parse_pue(name.upper())
    assert found == PUES[name]
    assert 1 <= (found.low or found.value) <= found.value <= (found.high or found.value) < 2
    assert len(found.source) > 10


def test_default_is_ones_own_machine() -> None:
    assert (inputs.parse_pue(None).value, inputs.parse_pue(None).low) == (1.0, None)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(pue="datacenter"), "unknown PUE preset 'datacenter'. Available: aws"),
        (Settings(pue="uptime-2052"), "unknown PUE preset 'uptime-2052'. Did you mean 'uptime-2025'?"),
        (Settings(pue="0.9"), "PUE is 0.9"),
        (Settings(pue="0.9..1.2..1.4"), "PUE is 0.9"),
        (Settings(pue="1.4..1.2..1.1"), "--pue got '1.4..1.2..1.1'. A range is LOW..VALUE..HIGH"),
        (Settings(pue="1.1..1.3"), "--pue got '1.1..1.3'. A range is"),
        (Settings(pue="nan"), "PUE is nan"),
        (Settings(intensity="-3"), "intensity is -3"),
        (Settings(intensity="30..39..4500"), "intensity is 4500"),
        (Settings(intensity="absent.csv"), "--intensity got 'absent.csv', which is neither"),
        (Settings(intensity="inf"), "intensity is inf"),
        (Settings(embodied="much"), "--embodied got 'much'. Give kilograms"),
        (Settings(embodied=-1), "--embodied got -1"),
        (Settings(embodied="inf"), "--embodied got 'inf'"),
    ],
)
def test_what_cannot_be_is_one_line(settings: Settings, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(settings, NOW)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_embodied_is_off_unless_asked_for() -> None:
    assert resolve(Settings(zone="CH"), NOW)[0].embodied is None


def test_embodied_assumptions() -> None:
    found = inputs.parse_embodied("assumed", 4.0)
    assert found is not None
    assert (found.host_g, found.board_g, found.lifespan_h) == (1_000_000, 150_000, 35_040)
    assert found.host_low_g < found.host_g < found.host_high_g
    assert (found.board_low_g, found.board_high_g) == (128_000, 575_000)
    assert (found.lifespan_low_h, found.lifespan_high_h) == (3 * 8760, 6 * 8760)
    assert "Impact Framework" in found.source


@pytest.mark.parametrize(("given", "host_kg"), [(250, (250, 250, 250)), ("200..250..400", (200, 250, 400))])
def test_own_embodied_is_of_the_whole_computer(given: float | str, host_kg: tuple[float, ...]) -> None:
    found = inputs.parse_embodied(given, 8.0)
    assert found is not None
    assert (found.host_low_g, found.host_g, found.host_high_g) == tuple(1000 * kg for kg in host_kg)
    assert (found.board_low_g, found.board_g, found.board_high_g) == (0, 0, 0)
    assert (found.lifespan_low_h, found.lifespan_h, found.lifespan_high_h) == (3 * 8760, 8 * 8760, 8 * 8760)


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "grid.csv"
    path.write_text(text, encoding="utf-8")
    return path


PLAIN = "time,g_per_kwh\n2026-11-23T11:00Z,100\n2026-11-23T12:00Z,200\n2026-11-23T13:00Z,400\n"


def test_own_file_gives_the_hour_that_is_now(tmp_path: Path) -> None:
    found = resolve(Settings(intensity=str(file(tmp_path, PLAIN))), NOW)[0].intensity
    assert (found.g_per_kwh, found.interval_start, found.zone) == (200, "2026-11-23T12:00:00Z", None)
    assert found.source == "the user's file grid.csv"


def test_own_file_over_a_run(tmp_path: Path) -> None:
    span = (NOW - timedelta(hours=1), NOW)
    emissions, notices = resolve(Settings(intensity=str(file(tmp_path, PLAIN))), NOW, None, span)
    assert [part.g_per_kwh for part in emissions.intervals] == [100, 200]
    assert emissions.intensity.g_per_kwh == pytest.approx((40 * 100 + 20 * 200) / 60)
    assert notices == ()


def test_run_outside_of_the_file_takes_the_nearest_flagged(tmp_path: Path) -> None:
    late = NOW + timedelta(hours=12)
    emissions, (notice,) = resolve(Settings(intensity=str(file(tmp_path, PLAIN))), late)
    assert emissions.intensity.g_per_kwh == 400
    assert "nearest" in (emissions.intensity.reason or "")
    assert notice.value == pytest.approx(10.33, abs=0.01)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("time,g_per_kwh", "datetime,carbonIntensity"),
        PLAIN.replace("Z,", "+00:00,"),
        PLAIN.replace("time,g_per_kwh", "Datetime (UTC),Carbon intensity gCO2eq/kWh (Life cycle)").replace("Z,", ","),
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        "value,extra,time\n200,x,2026-11-23T12:00Z\n100,,2026-11-23T11:00Z\n400,y,2026-11-23T13:00Z\n",
        "Datetime (UTC),Carbon intensity (direct),Carbon intensity (Life cycle)\n2026-11-23 12:00:00,20,200\n",
    ],
)
def test_columns_by_the_names_that_are_in_use(tmp_path: Path, text: str) -> None:
    assert intensity_csv.read(file(tmp_path, text), "lifecycle").at(NOW).g_per_kwh == 200


def test_direct_column(tmp_path: Path) -> None:
    text = "Datetime (UTC),Carbon intensity (direct),Carbon intensity (Life cycle)\n2026-11-23 12:00:00,20,200\n"
    assert intensity_csv.read(file(tmp_path, text), "direct").at(NOW).g_per_kwh == 20


def test_empty_cells_are_holes(tmp_path: Path) -> None:
    series = intensity_csv.read(file(tmp_path, PLAIN.replace("Z,200", "Z,")), "lifecycle")
    assert not series.covers(NOW, NOW + timedelta(minutes=1))
    assert [point.g_per_kwh for point in series.points] == [100, 400]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no intensities"),
        ("time,g_per_kwh\n", "has no intensities"),
        ("a,b\n1,2\n", "has the columns a, b. Name one 'time'"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,\n", "has times but no intensities"),
        ("time,g_per_kwh\nyesterday,3\n", "row 2: "),
        ("time,g_per_kwh\n2026-11-23T12:00,3\n", "row 2: 2026-11-23T12:00 has no offset"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,3\n2026-11-23T13:00Z,abc\n", "row 3: could not convert"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,-3\n", "row 2: intensity is -3"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,39000\n", "row 2: intensity is 39000"),
        ("time,g_per_kwh\n2026-11-23T12:00Z,nan\n", "row 2: intensity is nan"),
        ("time,g_per_kwh\n2026-11-23T12:00Z\n", "row 2: "),
    ],
)
def test_file_that_cannot_be_read_names_the_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        intensity_csv.read(file(tmp_path, text), "lifecycle")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the intensities"):
        intensity_csv.read(tmp_path, "lifecycle")
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        intensity_csv.read(tmp_path / "b", "lifecycle")
