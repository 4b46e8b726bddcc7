"""codecarbon's own tracker beside ours."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import Channel, SecondOpinion, Trace
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.external_tracker import Tracker, compared
from joulemark.suite.sensors.sampler import Sampler


def test_its_figure_stands_beside_ours_over_the_same_interval(tmp_path: Path) -> None:
    origin_s = time.monotonic()
    with Sampler.start(tmp_path / "t", origin_s, powercap_root=str(tmp_path / "none")):
        tracker = Tracker.start()
        # Not a whole number of its seconds: stopped in the middle of a measurement, codecarbon counts a second twice.
        time.sleep(3.5)
        said = tracker.stop(origin_s)
        time.sleep(0.6)
    assert said.reason is None
    assert said.version
    assert said.window_s[1] - said.window_s[0] >= 3.5
    assert said.energy_j["gpu"] is None
    assert said.energy_j["ram"]
    opinion = compared(said, trace_file.load(tmp_path / "t"), ())
    ram = next(energy for energy in opinion.ours if energy.component == "ram")
    assert said.energy_j["ram"] == pytest.approx(ram.energy_j, rel=0.2)
    assert [text.split(":")[0] for text in opinion.differences] == ["cpu", "ram"]
    assert all("model" in text for text in opinion.differences)


def test_a_tracker_that_dies_is_a_reason(tmp_path: Path) -> None:
    tracker = Tracker.start()
    tracker.process.kill()
    tracker.process.wait()
    said = tracker.stop(0.0)
    assert set(said.energy_j.values()) == {None}
    assert said.reason
    assert compared(said, (), ()) == said


TIMES = tuple(i / 10 for i in range(100))
SAID = SecondOpinion(
    tool="codecarbon",
    version="3",
    window_s=(1.0, 9.0),
    energy_j={"cpu": 320.0, "ram": 160.0, "gpu": None},
    methods={"cpu": "CPU(Cpu Load)", "ram": "RAM()"},
)


def _rapl() -> Trace:
    values = tuple(80.0 * t for t in TIMES)
    package = Channel(component="package", scope="package-0", unit="J", kind="counter", values=values)
    return Trace(sensor="rapl", t_s=TIMES, channels=(package,))


def test_what_it_models_beside_our_sensor_is_named() -> None:
    rapl = _rapl()
    opinion = compared(SAID, [rapl], ())
    assert opinion.ours == compute_readings([rapl], (1.0, 9.0), "cpu")
    cpu, ram = opinion.differences
    assert "0.50 times ours" in cpu
    assert "rapl (counter)" in cpu
    assert "we do not model beside sensors" in ram


def test_our_own_model_is_not_added_to_our_sensor() -> None:
    """With --sensor rapl --sensor codecarbon the model stands beside the counter, and is no part of ours."""
    channels = tuple(
        Channel(component=component, scope="host", unit="W", kind="model", values=(40.0,) * len(TIMES))
        for component in ("cpu", "ram")
    )
    model = Trace(sensor="codecarbon", t_s=TIMES, channels=channels)
    opinion = compared(SAID, [_rapl(), model], ())
    assert opinion == compared(SAID, [_rapl()], ())
    alone = compared(SAID, [model], ())
    assert [energy.component for energy in alone.ours] == ["cpu", "ram"]
    assert all("both are models" in text for text in alone.differences)
