"""codecarbon's own tracker beside our sampler."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from busy_machine import undisturbed, wait_for_reads

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import Channel, SecondOpinion, Trace
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.external_tracker import ExternalTracker, with_comparison
from joulemark.suite.sensors.sampler import Sampler


@pytest.mark.slow
def test_result_covers_the_same_interval_as_our_readings(tmp_path: Path) -> None:
    def check(folder: Path) -> None:
        origin_s = time.monotonic()
        with Sampler.start(folder / "t", origin_s, ["codecarbon"]):
            tracker = ExternalTracker.start()
            # Not a multiple of its period: if stopped in the middle of a measurement, codecarbon counts a second twice.
            time.sleep(3.5)
            result = tracker.stop(origin_s)
            wait_for_reads(folder / "t", 1, result.window_s[1])
        assert result.reason is None
        assert result.version
        assert result.window_s[1] - result.window_s[0] >= 3.5
        assert result.energy_j["gpu"] is None
        assert result.energy_j["ram"]
        compared = with_comparison(result, trace_file.load(folder / "t"), ())
        ram = next(energy for energy in compared.ours if energy.component == "ram")
        assert result.energy_j["ram"] == pytest.approx(ram.energy_j, rel=0.2)
        assert [text.split(":")[0] for text in compared.differences] == ["cpu", "ram"]
        assert all("model" in text for text in compared.differences)

    undisturbed(check, tmp_path)


@pytest.mark.slow
def test_killed_tracker_gives_a_reason() -> None:
    tracker = ExternalTracker.start()
    tracker.process.kill()
    tracker.process.wait()
    result = tracker.stop(0.0)
    assert set(result.energy_j.values()) == {None}
    assert result.reason
    assert with_comparison(result, (), ()) == result


TIMES = tuple(i / 10 for i in range(100))
RESULT = SecondOpinion(
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


def test_differences_name_both_methods() -> None:
    rapl = _rapl()
    compared = with_comparison(RESULT, [rapl], ())
    assert compared.ours == compute_readings([rapl], (1.0, 9.0), "cpu")
    cpu, ram = compared.differences
    assert cpu.startswith("cpu: 0.50 ")
    assert "CPU(Cpu Load)" in cpu
    assert "rapl (counter)" in cpu
    assert ram.startswith("ram: ")
    assert "RAM()" in ram


def test_our_model_is_not_added_to_our_sensor() -> None:
    """With --sensor rapl --sensor codecarbon the model stands beside the counter and is not one of our readings."""
    channels = tuple(
        Channel(component=component, scope="host", unit="W", kind="model", values=(40.0,) * len(TIMES))
        for component in ("cpu", "ram")
    )
    model = Trace(sensor="codecarbon", t_s=TIMES, channels=channels)
    assert with_comparison(RESULT, [_rapl(), model], ()) == with_comparison(RESULT, [_rapl()], ())
    alone = with_comparison(RESULT, [model], ())
    assert [energy.component for energy in alone.ours] == ["cpu", "ram"]
    assert [text.split(" ")[:2] for text in alone.differences] == [["cpu:", "1.00"], ["ram:", "0.50"]]
    assert all("models" in text for text in alone.differences)
    rests_on = [channel.model_copy(update={"evidence": "3 servers with EPYC 9755"}) for channel in channels]
    other = with_comparison(RESULT, [model.model_copy(update={"channels": tuple(rests_on)})], ())
    assert all("on 3 servers with EPYC 9755" in text for text in other.differences)
