"""A wall meter's rows as a sensor."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from busy_machine import wait_for_reads, wait_until

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.errors import UsageError
from joulemark.suite.records import Channel, EnergyReading, Trace
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import MODELS, SensorOptions
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.sensors.wall_meter import sensor as wall_meter

LOGGER = """
import os, sys, time
with open(sys.argv[1], "a", buffering=1) as file:
    file.write("time,watt\\n")
    late = float(sys.argv[2])
    rows = []
    while True:
        now = time.time()
        change = float(open(sys.argv[3]).read()) if os.path.exists(sys.argv[3]) else now + 1
        rows.append((now, 100.0 if now < change else 200.0))
        while rows and rows[0][0] <= now - late:
            file.write("%.3f,%.1f\\n" % rows.pop(0))
        time.sleep(0.1)
"""


def sampled(measure: Callable[[Path], EnergyReading], folder: Path) -> EnergyReading:
    """Return what `measure` reads in a folder of its own, once there is a value.

    A busy machine may give the sampler no core for most of a second, and then there is rightly none.
    """
    for attempt in range(5):
        (folder / f"{attempt}").mkdir()
        reading = measure(folder / f"{attempt}")
        if reading.energy_j is not None:
            break
    return reading


@pytest.mark.slow
@pytest.mark.parametrize("late_s", [0.0, 0.5])
def test_rows_are_aligned_by_their_own_times(tmp_path: Path, late_s: float) -> None:
    """Power doubles at a known time; a meter that writes its rows late gives the same joules."""

    def measure(folder: Path) -> EnergyReading:
        path, change = folder / "meter.csv", folder / "change"
        with subprocess.Popen([sys.executable, "-c", LOGGER, str(path), str(late_s), str(change)]) as logger:
            try:
                wait_until(lambda: path.exists() and path.read_text().count("\n") > 4)
                origin_s, origin_epoch_s = time.monotonic(), time.time()
                with Sampler.start(folder / "t", origin_s, ["rapl", f"meter:{path}"], str(folder)) as sampler:
                    change_s = time.time() + 1.2
                    (folder / "soon").write_text(str(change_s))
                    (folder / "soon").rename(change)
                    middle_s = change_s - origin_epoch_s
                    wait_for_reads(folder / "t", 2, middle_s + 0.8)
            finally:
                logger.kill()
        assert "meter" in sampler.sensors
        readings = compute_readings(trace_file.load(folder / "t"), (middle_s - 0.8, middle_s + 0.8), "cpu")
        return next(energy for energy in readings if energy.component == "machine")

    machine = sampled(measure, tmp_path)
    assert not machine.attributed
    assert machine.energy_j == pytest.approx(0.8 * 100 + 0.8 * 200, rel=0.06), machine.reason


@pytest.mark.slow
def test_meter_is_read_in_addition_to_the_hardware(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_text("".join(f"{time.time() - 2 + i}, 140\n" for i in range(3)))
    with Sampler.start(tmp_path / "t", time.monotonic(), [f"meter:{path}"], str(tmp_path)) as sampler:
        pass
    (model,) = set(sampler.sensors) - {"meter"}
    assert model in MODELS
    assert {finding.name for finding in sampler.findings} >= {"rapl", "nvml", "meter", model}


def follow(path: Path, **more: str) -> wall_meter.WallMeter:
    """Return a sensor that follows `path`."""
    found = wall_meter.find(SensorOptions(argument=f"{path}{more.get('choice', '')}")).sensor
    assert isinstance(found, wall_meter.WallMeter)
    return found


def rows(*values: object, age_s: float = 0.0, header: str = "") -> str:
    """Return a table of a row a second, the last `age_s` ago."""
    begin_s = time.time() - age_s - len(values) + 1
    return header + "".join(f"{begin_s + i:.3f},{value}\n" for i, value in enumerate(values))


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_bytes(b"\xef\xbb\xbf1795406400,100\r\n1795406401,110\r\n")
    assert wall_meter.load(str(path))[2] == [(1795406400.0, 100.0), (1795406401.0, 110.0)]
    sensor = follow(path)
    assert [sensor.read() for _ in range(3)] == [[100.0], [110.0], [None]]
    sensor.close()


@pytest.mark.parametrize("content", [None, "", "time,watt\n", "time,watt\n1.0,5\n"])
def test_file_without_two_rows_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "meter.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"meter\.csv"):
        Sampler.start(tmp_path / "t", 0.0, sensors=[f"meter:{path}"])


@pytest.mark.parametrize(("age_s", "words"), [(7 * 86400, "7 days behind"), (-3600, "1 h 00 min ahead of")])
def test_rows_of_another_time_are_refused_before_anything_runs(tmp_path: Path, age_s: float, words: str) -> None:
    path = tmp_path / "meter.csv"
    path.write_text(rows(140, 140, 140, age_s=age_s))
    with pytest.raises(UsageError, match=f"the newest row of .* is .*{words} this machine's clock") as caught:
        wall_meter.check(str(path))
    assert "\n" not in str(caught.value)
    path.write_text(rows(140, 140, 140))
    wall_meter.check(str(path))


def test_period_is_half_the_interval_between_rows(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_text("".join(f"{1795406400 + i / 20},100\n" for i in range(40)))
    sensor = follow(path)
    assert sensor.period_s == pytest.approx(0.025)
    sensor.close()


def test_energy_is_a_counter(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_text(rows(2.5, 2.6, header="time,energy_wh\n"))
    sensor = follow(path)
    assert (sensor.channels[0].unit, sensor.channels[0].kind) == ("J", "counter")
    assert [sensor.read()[0] for _ in range(2)] == pytest.approx([9000, 9360])
    sensor.close()


def test_header_holds_for_rows_that_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_text(rows(*["230,140000"] * 9000, header="time,volts,power_mw\n"))  # more than is read at first
    sensor = follow(path)
    with path.open("a") as file:
        file.write(f"{time.time() + 1},230,150000\n{time.time() + 2},230,16")
    assert [sensor.read()[0] for _ in range(10)] == [*[140.0] * 8, 150.0, None]
    sensor.close()


def test_plugs_are_added_up_or_one_is_chosen(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    now = time.time()
    path.write_text(
        f"time,plug,watt\n{now - 9000},old,500\n"
        + "".join(f"{now - 2 + i:.3f},desk,140\n{now - 2 + i:.3f},rack,35\n" for i in range(3))
    )
    for choice, power_w in (("", 175.0), ("#desk", 140.0), ("#rack", 35.0), ("#desk+rack", 175.0)):
        wall_meter.check(f"{path}{choice}")
        sensor = follow(path, choice=choice)
        assert sensor.read() == [power_w]
        assert ("sum of desk, rack" in sensor.channels[0].source) is (power_w == 175.0)
        sensor.close()
    with pytest.raises(UsageError, match="fewer than two rows"):
        wall_meter.check(f"{path}#cellar")


def test_entities_are_not_added_up_unasked(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    stamp = datetime.fromtimestamp(time.time(), UTC).isoformat()
    path.write_text(f"entity_id,state,last_changed\nsensor.a_power,1,{stamp}\nsensor.b_power,2,{stamp}\n")
    with pytest.raises(UsageError, match=r"several entities: sensor\.a_power, sensor\.b_power"):
        wall_meter.check(str(path))


def test_file_whose_name_has_a_number_sign(tmp_path: Path) -> None:
    path = tmp_path / "plug#1.csv"
    path.write_text(rows(140, 140))
    wall_meter.check(str(path))
    follow(path).close()


@pytest.mark.slow
def test_absurd_row_is_left_out_and_named(tmp_path: Path) -> None:
    """A plug that prints a small negative number unsigned: 429 MW among rows of 140 W."""

    def measure(folder: Path) -> EnergyReading:
        path = folder / "meter.csv"
        path.write_text(rows(*[140] * 20, header="time,watt\n"))
        origin_s = time.monotonic()
        with Sampler.start(folder / "t", origin_s, ["rapl", f"meter:{path}"], str(folder)) as _:
            begin_s = time.monotonic() - origin_s
            with path.open("a", buffering=1) as file:
                for i in range(16):
                    file.write(f"{time.time():.3f},{429496728.1 if i == 8 else 140.0}\n")
                    time.sleep(0.1)
            time.sleep(0.5)
        readings = compute_readings(trace_file.load(folder / "t"), (begin_s, begin_s + 1.5), "cpu")
        return next(energy for energy in readings if energy.component == "machine")

    machine = sampled(measure, tmp_path)
    assert machine.energy_j == pytest.approx(1.5 * 140), machine.reason
    assert "1 of " in (machine.reason or "")
    assert "left out" in (machine.reason or "")


def trace(times: list[float], powers: list[float]) -> Trace:
    """Return the trace of a wall meter."""
    channel = Channel(component="machine", scope="wall", unit="W", kind="integrated", values=tuple(powers))
    return Trace(sensor="meter", t_s=tuple(times), channels=(channel,))


@pytest.mark.parametrize("window", [(41.0, 44.0), (41.0, 46.0)])
def test_window_between_two_rows_has_no_value(window: tuple[float, float]) -> None:
    """100 W at each row, whatever was between them (300 W from 41 s to 44.8 s, as a plug of 5 s missed it)."""
    times = [5.0 * i for i in range(20)]
    (machine,) = (r for r in compute_readings([trace(times, [100.0] * 20)], window, "cpu") if r.component == "machine")
    assert machine.energy_j is None
    assert "below resolution: it has" in (machine.reason or "")


def test_few_rows_are_below_resolution() -> None:
    times = [float(i) for i in range(60)]
    for length_s, below in ((4.0, True), (50.0, False)):
        readings = compute_readings([trace(times, [140.0] * 60)], (5.5, 5.5 + length_s), "cpu")
        (machine,) = (r for r in readings if r.component == "machine")
        assert machine.energy_j == pytest.approx(140 * length_s)
        assert (machine.reason is not None) is below
