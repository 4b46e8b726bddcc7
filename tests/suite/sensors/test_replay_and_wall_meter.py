"""Sensors that are files: a replayed run and a wall meter's rows."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from run_files import run_file

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.errors import UsageError
from joulemark.suite.records import write
from joulemark.suite.sensors import trace_file, wall_meter
from joulemark.suite.sensors.base import Options
from joulemark.suite.sensors.sampler import Sampler


def test_a_run_is_replayed_and_labelled(tmp_path: Path) -> None:
    recorded = run_file()
    write(recorded, tmp_path / "run.json")
    origin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", origin_s, sensors=[f"replay:{tmp_path / 'run.json'}"]):
        ready_s = time.monotonic() - origin_s
        time.sleep(1.2)
    (trace,) = trace_file.load(tmp_path / "t")
    assert trace.simulated
    package = compute_readings([trace], (ready_s + 0.1, ready_s + 1.1), "cpu")[0]
    assert package.energy_j == pytest.approx(50.0, rel=1e-3)  # the builder's trace draws 50 W
    assert "replay of run.json" in trace.channels[0].source


def test_a_replay_that_has_ended_is_unknown(tmp_path: Path) -> None:
    short = run_file().traces[0]
    cut = short.model_copy(
        update={
            "t_s": short.t_s[:6],
            "channels": tuple(c.model_copy(update={"values": c.values[:6]}) for c in short.channels),
        }
    )
    write(run_file(traces=(cut,)), tmp_path / "run.json")
    origin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", origin_s, sensors=[f"replay:{tmp_path / 'run.json'}"]):
        ready_s = time.monotonic() - origin_s
        time.sleep(2.0)
    package = compute_readings(trace_file.load(tmp_path / "t"), (ready_s, ready_s + 1.8), "cpu")[0]
    assert package.energy_j is None
    assert package.reason


@pytest.mark.parametrize(
    ("content", "message"), [("", "is empty"), ("{}", "not a joulemark run file"), (None, "No such file")]
)
def test_what_cannot_be_replayed_is_one_clear_line(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=message):
        Sampler.start(tmp_path / "t", 0.0, sensors=[f"replay:{path}"])


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


@pytest.mark.parametrize("late_s", [0.0, 0.5])
def test_a_wall_meter_is_aligned_by_its_own_times(tmp_path: Path, late_s: float) -> None:
    """Its power doubles at a known time; a meter that writes its rows late gives the same joules."""
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
    found = compute_readings(trace_file.load(tmp_path / "t"), (change_s - 0.8, change_s + 0.8), "cpu")
    machine = next(energy for energy in found if energy.component == "machine")
    assert not machine.attributed
    assert machine.energy_j == pytest.approx(0.8 * 100 + 0.8 * 200, rel=0.06)


def test_a_meter_stands_beside_the_hardware(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_text("".join(f"{time.time() - 2 + i}, 140\n" for i in range(3)))
    with Sampler.start(tmp_path / "t", time.monotonic(), [f"meter:{path}"], str(tmp_path)) as sampler:
        pass
    assert set(sampler.sensors) == {"meter", "codecarbon"}
    assert {finding.name for finding in sampler.findings} >= {"rapl", "nvml", "meter", "codecarbon"}


def test_rows_are_read_whatever_their_form() -> None:
    stamp = datetime(2026, 11, 23, 4, 0, 0, 250_000, tzinfo=UTC).timestamp()
    assert wall_meter.parse("2026-11-23T04:00:00.250Z, 143.7") == (stamp, 143.7)
    assert wall_meter.parse(f"{stamp};143.7;more") == (stamp, 143.7)
    assert wall_meter.parse("1795406400,25;143,7") == (1795406400.25, 143.7)
    for line in ("time,watt", "", "# comment", "123.4", "123.4,nan", "123.4,-5", "123.4,"):
        assert wall_meter.parse(line) is None


@pytest.mark.parametrize("content", [None, "", "time,watt\n", "time,watt\n1.0,5\n"])
def test_a_meter_without_rows_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "meter.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"meter\.csv"):
        Sampler.start(tmp_path / "t", 0.0, sensors=[f"meter:{path}"])


def test_a_meter_that_writes_often_is_read_as_often(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_text("".join(f"{1795406400 + i / 20},100\n" for i in range(40)))
    sensor = wall_meter.find(Options(argument=str(path))).sensor
    assert sensor is not None
    assert sensor.period_s == pytest.approx(0.025)
    sensor.close()
