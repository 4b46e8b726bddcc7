"""The estimate of power without a sensor: the sensor, and codecarbon's model beside it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from estimated_hosts import AZURE, MILAN, build

from joulemark.suite.energy.components import SECOND_OPINION
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import Trace
from joulemark.suite.sensors.base import SensorOptions
from joulemark.suite.sensors.power_model.codecarbon import SHORTEST_S, Model
from joulemark.suite.sensors.power_model.evidence import best_evidence
from joulemark.suite.sensors.power_model.host import describe
from joulemark.suite.sensors.power_model.sensor import BusyShare, PowerModel, find


@pytest.mark.slow
def test_the_sensor_says_what_it_rests_on(tmp_path: Path) -> None:
    dmi_root, proc_root = build(tmp_path, AZURE, MILAN, 4, memory_gb=64.0)
    result = find(SensorOptions(dmi_root=dmi_root, proc_root=proc_root))
    assert result.sensor is not None
    (finding,) = result.findings
    assert "servers with EPYC 7003" in (finding.reason or "")
    assert "Second opinion, by codecarbon" in (finding.reason or "")
    unknown = find(SensorOptions(dmi_root=str(tmp_path / "none"), proc_root=str(tmp_path / "none")))
    assert [finding.name for finding in unknown.findings] == ["power_model", "codecarbon"]
    assert unknown.sensor is not None
    assert unknown.sensor.name == "codecarbon"


def test_a_second_opinion_is_beside_and_not_charged(tmp_path: Path) -> None:
    evidence = best_evidence(describe(*build(tmp_path, AZURE, MILAN, 4, memory_gb=64.0)))
    assert evidence is not None
    sensor = PowerModel(evidence, lambda: 0.5, Model(lambda: 30.0, 20.0, "EPYC 7763", 280.0, known=True))
    assert sensor.read()[::2] == (None, None)  # the load of so short a time is not known
    time.sleep(SHORTEST_S)
    values = sensor.read()
    assert values == (evidence.power_w(0.5), evidence.ram_w, 30.0, 20.0)
    channels = [
        channel.model_copy(update={"values": (value,) * 11})
        for channel, value in zip(sensor.channels, values, strict=True)
    ]
    trace = Trace(sensor=sensor.name, t_s=tuple(float(t) for t in range(11)), channels=tuple(channels))
    readings = {reading.component: reading for reading in compute_readings([trace], (2.0, 8.0), "cpu")}
    assert {name for name, reading in readings.items() if reading.attributed} == {"cpu", "ram"}
    assert set(readings) == {"cpu", "ram", *SECOND_OPINION}
    cpu = readings["cpu"]
    assert cpu.energy_j == pytest.approx(6 * evidence.power_w(0.5))
    assert (cpu.low_j, cpu.high_j) == pytest.approx([cpu.energy_j * factor for factor in evidence.gain])
    assert "EPYC 7003" in cpu.evidence
    assert {reading.kind for reading in readings.values()} == {"model"}


def test_the_load_is_a_share() -> None:
    load = BusyShare()
    end_s = time.monotonic() + 0.3
    while time.monotonic() < end_s:
        pass
    assert 0 < load() <= 1


@pytest.mark.parametrize("fault", [ImportError, RuntimeError, AttributeError])
def test_a_broken_codecarbon_costs_the_second_opinion_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    dmi_root, proc_root = build(tmp_path, AZURE, MILAN, 4, memory_gb=64.0)
    (tmp_path / "codecarbon.py").write_text(f"raise {fault.__name__}('broken')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "codecarbon"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    result = find(SensorOptions(dmi_root=dmi_root, proc_root=proc_root))
    assert result.sensor is not None
    assert "No second opinion by codecarbon: " in (result.findings[0].reason or "")
