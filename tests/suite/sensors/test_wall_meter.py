"""A wall meter's rows as a sensor."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.errors import UsageError
from joulemark.suite.sensors import trace_file, wall_meter
from joulemark.suite.sensors.base import SensorOptions
from joulemark.suite.sensors.sampler import Sampler

LOGGER = """
import sys, time
with open(sys.argv[1], "a", buffering=1) as file:
    file.write("time,watt\\n")
    late = float(sys.argv[2])
    rows = []
    while True:
        now = time.time()
        rows.append((now, 100.0 if now < float(sys.argv[3]) else 200.0))
        while rows and rows[0][0] <= now - late:
            file.write("%.3f,%.1f\\n" % rows.pop(0))
        time.sleep(0.1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("late_s", [0.0, 0.5])
def test_rows_are_aligned_by_their_own_times(tmp_path: Path, late_s: float) -> None:
    """Power doubles at a known time; a meter that writes its rows late gives the same joules."""
    path = tmp_path / "meter.csv"
    change_s = time.time() + late_s + 3.0
    with subprocess.Popen([sys.executable, "-c", LOGGER, str(path), str(late_s), str(change_s)]) as logger:
        try:
            time.sleep(0.6 + late_s)
            origin_s = time.monotonic()
            origin_epoch_s = time.time()
            with Sampler.start(tmp_path / "t", origin_s, ["rapl", f"meter:{path}"], str(tmp_path)) as sampler:
                time.sleep(max(0.0, change_s + 1.2 + late_s - time.time()))
        finally:
            logger.kill()
    assert "meter" in sampler.sensors
    change_s -= origin_epoch_s
    readings = compute_readings(trace_file.load(tmp_path / "t"), (change_s - 0.8, change_s + 0.8), "cpu")
    machine = next(energy for energy in readings if energy.component == "machine")
    assert not machine.attributed
    assert machine.energy_j == pytest.approx(0.8 * 100 + 0.8 * 200, rel=0.06)


@pytest.mark.slow
def test_meter_is_read_in_addition_to_the_hardware(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_text("".join(f"{time.time() - 2 + i}, 140\n" for i in range(3)))
    with Sampler.start(tmp_path / "t", time.monotonic(), [f"meter:{path}"], str(tmp_path)) as sampler:
        pass
    assert set(sampler.sensors) == {"meter", "codecarbon"}
    assert {finding.name for finding in sampler.findings} >= {"rapl", "nvml", "meter", "codecarbon"}


def test_rows_are_parsed_in_any_form() -> None:
    stamp = datetime(2026, 11, 23, 4, 0, 0, 250_000, tzinfo=UTC).timestamp()
    assert wall_meter.parse("2026-11-23T04:00:00.250Z, 143.7") == (stamp, 143.7)
    assert wall_meter.parse(f"{stamp};143.7;more") == (stamp, 143.7)
    assert wall_meter.parse("1795406400,25;143,7") == (1795406400.25, 143.7)
    for line in ("time,watt", "", "# comment", "123.4", "123.4,nan", "123.4,-5", "123.4,"):
        assert wall_meter.parse(line) is None


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_bytes(b"\xef\xbb\xbf1795406400,100\r\n1795406401,110\r\n")
    assert wall_meter.load(path) == [(1795406400.0, 100.0), (1795406401.0, 110.0)]
    sensor = wall_meter.find(SensorOptions(argument=str(path))).sensor
    assert sensor is not None
    assert [sensor.read() for _ in range(3)] == [[100.0], [110.0], [None]]
    sensor.close()


@pytest.mark.parametrize("content", [None, "", "time,watt\n", "time,watt\n1.0,5\n"])
def test_file_without_two_rows_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "meter.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"meter\.csv"):
        Sampler.start(tmp_path / "t", 0.0, sensors=[f"meter:{path}"])


def test_period_is_half_the_interval_between_rows(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_text("".join(f"{1795406400 + i / 20},100\n" for i in range(40)))
    sensor = wall_meter.find(SensorOptions(argument=str(path))).sensor
    assert sensor is not None
    assert sensor.period_s == pytest.approx(0.025)
    sensor.close()
