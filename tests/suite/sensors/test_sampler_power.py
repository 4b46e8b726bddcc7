"""`Sampler.latest_power_w`: present power from the end of the trace file."""

from __future__ import annotations

import time
from pathlib import Path

import nvml_library
import pytest
from busy_machine import undisturbed, wait_until
from nvml_library import FakeGpu

from joulemark.suite.sensors.sampler import Sampler

pytestmark = pytest.mark.slow


def _start(tmp_path: Path, *gpus: FakeGpu) -> Sampler:
    environment = nvml_library.environment(nvml_library.build(tmp_path), gpus)
    return Sampler.start(tmp_path / "t", time.monotonic(), sensors=["nvml"], environment=environment)


def test_power_is_the_sum_over_gpus(tmp_path: Path) -> None:
    with _start(tmp_path, FakeGpu("GPU-1", 250.0), FakeGpu("GPU-2", 100.0)) as sampler:
        wait_until(sampler.latest_power_w)
        assert sampler.latest_power_w() == pytest.approx(350.0, rel=0.02)
        assert sampler.latest_power_w(measured=True) == pytest.approx(350.0, rel=0.02)


def test_module_that_contains_the_gpu_is_left_out(tmp_path: Path) -> None:
    with _start(tmp_path, FakeGpu("GPU-1", 250.0, "grace", name="NVIDIA GH200 480GB")) as sampler:
        wait_until(sampler.latest_power_w)
        assert sampler.latest_power_w() == pytest.approx(250.0, rel=0.02)


@pytest.mark.parametrize(
    ("traits", "tolerance"),
    [
        ("tick", 0.001),
        ("tick no_instant no_average no_legacy", 0.11),
    ],  # counter only: one update of the ten in a second
)
def test_power_does_not_flicker_with_a_counters_updates(tmp_path: Path, traits: str, tolerance: float) -> None:
    """The counter moves each 100 ms, as often as it is read: from one read to the next it shows 0, 1 or 2 updates."""

    def check(folder: Path) -> None:
        with _start(folder, FakeGpu("GPU-1", 250.0, traits)) as sampler:
            time.sleep(1.2)
            powers_w = []
            for _ in range(40):
                time.sleep(0.037)
                powers_w.append(sampler.latest_power_w())
        assert all(power_w == pytest.approx(250.0, rel=tolerance) for power_w in powers_w), powers_w

    undisturbed(check, tmp_path)
