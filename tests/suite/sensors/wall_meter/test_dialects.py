"""Tables of many programs: columns are found by their names, and what may be read in two ways is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.sensors.wall_meter.sensor import PlugSum
from joulemark.suite.sensors.wall_meter.table import MeterTable

DATA = Path("tests/data/meters")
NOON_S = 1796040000.0
"""2026-11-30 12:00:00 UTC, when the samples begin."""
REFUSED = {
    "shelly-em-phases.csv": "each of a_act_power, b_act_power, c_act_power, total_act_power may be meant",
    "shelly-emdata.csv": "no column of power, or of cumulative energy",
    "tapo-energy-usage.csv": "name it current_power_mw or current_power_w",
}
COMPONENTS = {"nvidia-smi": "gpu_log", "dcgmi-dmon": "gpu_log", "rocm-smi": "gpu_log", "turbostat": "package_log"}


@pytest.fixture(autouse=True)
def zurich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine's clock show the time of Zurich."""
    monkeypatch.setenv("TZ", "Europe/Zurich")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def samples(text: str, *chosen: str, now_s: float = NOON_S) -> list[tuple[float, float]]:
    """Return the samples of a table, plugs added up."""
    lines = text.splitlines()
    table = MeterTable.of("meter.csv", lines, chosen, now_s)
    rows = [row for line in lines for row in table.rows(line, now_s)]
    total = PlugSum({row.plug for row in rows})
    return [sample for row in rows if (sample := total.add(row)) is not None]


@pytest.mark.parametrize("path", sorted(set(DATA.glob("*.*s*")) | set(DATA.glob("*.txt"))), ids=lambda path: path.stem)
def test_dialect(path: Path) -> None:
    text = path.read_text()
    if (words := REFUSED.get(path.name)) is not None:
        with pytest.raises(UsageError) as caught:
            samples(text)
        assert words in str(caught.value)
        assert text.splitlines()[0].replace(",", ", ") in str(caught.value)
        return
    read = samples(text)
    assert [power_w for _, power_w in read] == [140, 150, 160]
    assert [at_s - NOON_S for at_s, _ in read] == pytest.approx([0, 1, 2], abs=0.26)
    table = MeterTable.of(path.name, text.splitlines(), (), NOON_S)
    assert table.component == COMPONENTS.get(path.stem, "machine")


def test_every_dialect_has_its_source() -> None:
    named = (DATA / "README.md").read_text()
    assert all(f"`{path.name}`" in named for path in DATA.iterdir() if path.name != "README.md")


@pytest.mark.parametrize("choice", [("total_act_power",), ("a_act_power", "b_act_power", "c_act_power")])
def test_column_is_chosen_or_columns_are_added_up(choice: tuple[str, ...]) -> None:
    text = (DATA / "shelly-em-phases.csv").read_text()
    assert [power_w for _, power_w in samples(text, *choice)] == [140, 150, 160]


def test_plug_is_chosen() -> None:
    text = (DATA / "nvidia-smi.csv").read_text()
    assert [power_w for _, power_w in samples(text, "1")] == [35, 35, 35]
    assert [power_w for _, power_w in samples(text, "GPU-3b5e0c1a-0000-4000-8000-000000000001")] == [105, 115, 125]


@pytest.mark.parametrize(
    ("header", "cells", "value"),
    [
        ("timestamp,voltage,current,power,total", "230.4,0.6076,140.0,0.0123", 140.0),
        ("time,voltage_mv,current_ma,power_mw,total_wh", "230412,608,140000,12.3", 140.0),
        ("time,power_mw", "140000", 140.0),
        ("time,power_kw", "0.1400", 140.0),
        ("time,volts,amps,watts", "230.4,0.6,140.0", 140.0),
        ("time,energy_wh", "2.5", 9000.0),
        ("time,Energy (kWh)", "0.0025", 9000.0),
        ("time,energy_mwh", "2500", 9000.0),
        ("time,power_apparent_va,power_reactive_var,power_w", "150,50,140", 140.0),
        ("time,power.limit [W],power.draw [W]", "700,140 W", 140.0),
        ("time,power,unit", "0.14,kW", 140.0),
        ("time,power", "140 W", 140.0),
        ("time,power", "0.14 kW", 140.0),
    ],
)
def test_unit_is_that_of_the_name(header: str, cells: str, value: float) -> None:
    assert samples(f"{header}\n{NOON_S},{cells}\n") == [(NOON_S, pytest.approx(value))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,volts\n1,230\n", "no column of power, or of cumulative energy. Its columns are: time, volts."),
        ("watts,volts\n140,230\n", "no column of time"),
        ("1796040000,230.4,0.6,140\n", "has no header, and its rows have 4 columns"),
        ("time,cpu_w,psu_w\n1,2,3\n", "each of cpu_w, psu_w may be meant"),
        ("time,total\n1,2\n", "no column of power"),
        ("time,consumption_wh\n1,2\n", "no column of power"),
        ("time,voltage,current,power\n1,230.4,0.6076,140000\n", "'power' is 140000 where volts times amperes are 140"),
        ("time,voltage,current,power\n1,230.4,0.6076,0.14\n", "'power' is 0.14 where volts times amperes are 140"),
        ("hello\n", "no column of time"),
        ("", "no column of time"),
    ],
)
def test_ambiguous_table_is_refused_with_its_columns(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        samples(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_chosen_column_must_be_power_or_energy() -> None:
    with pytest.raises(UsageError, match="'volts' is no power or energy by its name"):
        samples("time,volts,power_w\n1,230,140\n", "volts")


@pytest.mark.parametrize(
    "stamp",
    [
        "1796040000.25", "1796040000250", "2026-11-30T12:00:00.250Z", "2026-11-30 13:00:00.250",
        "2026-11-30T13:00:00.250+01:00", "2026-11-30 06:00:00.250 America/Chicago", "11-30-2026 13:00:00.250",
        "30.11.2026 13:00:00.250", "30/11/2026 13:00:00.250", "11/30/2026 1:00:00.250 PM", "13:00:00.250",
        "2026-11-30 13:00:00.250 CET",
    ],
)  # fmt: skip
def test_time_in_any_form(stamp: str) -> None:
    assert samples(f"time,watt\n{stamp},140\n") == [(pytest.approx(NOON_S + 0.25, abs=1e-6), 140.0)]


def test_zone_of_the_header_counts() -> None:
    for header in ("time (UTC),watt", "time [Europe/London],watt"):
        assert samples(f"{header}\n2026-11-30 12:00:00,140\n") == [(NOON_S, 140.0)]


def test_milliseconds_after_a_comma_belong_to_the_time() -> None:
    for header in ("asctime,power\n", ""):
        assert samples(f"{header}2026-11-30 13:00:01,250,140.0\n") == [(NOON_S + 1.25, 140.0)]


def test_hour_that_the_clock_shows_twice_is_the_one_near_now() -> None:
    first_s = 1792886400.0  # 2026-10-25 00:00 UTC: summer time ends in Zurich at 01:00 UTC
    text = "time,watt\n2026-10-25 02:30:00,140\n"
    assert samples(text, now_s=first_s + 1801)[0][0] == first_s + 1800
    assert samples(text, now_s=first_s + 5401)[0][0] == first_s + 5400


def test_day_and_month_are_in_the_order_that_is_near_now() -> None:
    now_s = 1780833600.0  # 2026-06-07 12:00 UTC
    for stamp in ("06/07/2026 14:00:00", "07/06/2026 14:00:00"):
        assert samples(f"time,watt\n{stamp},140\n", now_s=now_s)[0][0] == now_s


def test_plugs_are_added_up_when_each_has_given_a_row() -> None:
    rows = "".join(f"{NOON_S + i},1,140\n{NOON_S + i + 0.2},2,35\n" for i in range(2)) + f"{NOON_S + 2},1,140\n"
    assert samples("time,plug,watt\n" + rows) == [
        (pytest.approx(NOON_S + 0.1), 175.0),
        (pytest.approx(NOON_S + 1.1), 175.0),
    ]


def test_rows_that_are_none_are_left_out() -> None:
    bad = [",140", "x,140", f"{NOON_S}", f"{NOON_S},", f"{NOON_S},nan", f"{NOON_S},-5", f"{NOON_S},140 V", "# note", ""]
    assert samples("time,watt\n" + "\n".join(bad)) == []
