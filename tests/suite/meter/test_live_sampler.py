"""Which devices a user's code is charged with, and the readings of their GPUs."""

from __future__ import annotations

import pytest

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.meter.live_sampler import charged_devices
from joulemark.suite.records import Channel, Gpu, Trace


def gpu(index: int, device: str | None) -> Gpu:
    return Gpu(index=index, vendor="NVIDIA", name="A", uuid=f"GPU-{index}", pci_bus_id=f"{index}", device=device)


def test_code_is_charged_with_every_gpu_that_it_can_see() -> None:
    gpus = (gpu(0, "cuda:0"), gpu(1, "cuda:1"), gpu(2, None))
    assert charged_devices(gpus, None) == "cuda:0+cuda:1"
    assert charged_devices(gpus, None, ["cpu"]) == "cpu"
    assert charged_devices((), "no driver") == "cpu"
    assert charged_devices((gpu(2, None),), None) == "cpu"
    # GPUs that cannot be told apart are reported as missing, not left out.
    assert charged_devices((gpu(2, None),), "GPUs of several models") == "cuda"


def test_several_gpus_are_attributed_and_one_without_a_sensor_is_missing() -> None:
    times_s = tuple(i / 10 for i in range(101))
    channels = tuple(
        Channel(
            component="gpu",
            scope=f"GPU-{index}",
            unit="J",
            kind="counter",
            tick_s=0.1,
            values=tuple(power_w * time_s for time_s in times_s),
        )
        for index, power_w in ((0, 100.0), (2, 70.0))
    )
    gpus = (gpu(0, "cuda:0"), gpu(1, "cuda:1"), gpu(2, "cuda:2"))
    traces = [Trace(sensor="nvml", t_s=times_s, channels=channels)]
    readings = compute_readings(traces, (2.0, 8.0), "cuda:0+cuda:1", gpus)
    by_scope = {reading.scope: reading for reading in readings if reading.component == "gpu"}
    assert by_scope["GPU-0"].attributed
    assert by_scope["GPU-0"].energy_j == pytest.approx(600.0)
    assert by_scope["GPU-1"].attributed
    assert (by_scope["GPU-1"].energy_j, by_scope["GPU-1"].kind) == (None, "unavailable")
    assert by_scope["GPU-1"].reason
    assert not by_scope["GPU-2"].attributed
