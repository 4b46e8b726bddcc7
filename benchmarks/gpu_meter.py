"""A Meter of 0.1 to 10 s around a constant load, against a second reader of the GPU's energy counter.

Run by `benchmarks.gpu` as `python -m benchmarks.gpu_meter DEVICE SECONDS...`; prints a line of JSON for each window. It
shows what short windows miss, and agreement between two readers of one counter, not the counter's truth. With the
device `cpu` the load is on the CPU, and the first GPU idles.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import joulemark

READ_PERIOD_S = 0.01
PAUSE_S = 2.0
"""Idle time before and after each window: the counter is published late, and the GPU's clocks fall slowly."""
BEFORE_S, AFTER_S = 0.2, 1.0
"""How much earlier and later the counter is read around a window, which all of its energy is then in."""
PRODUCT = {"cuda": 8192, "cpu": 1024}
"""Edge of the matrices that are multiplied."""


class CounterReader(threading.Thread):
    """Reads a GPU's energy counter; keeps the time and value of each change."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        super().__init__(daemon=True)
        self._nvml, self._handle = nvml, handle
        self._read_j()  # raises here what the thread would hide
        self.times_s: list[float] = []
        self.values_j: list[float] = []
        self.stopped = threading.Event()

    def _read_j(self) -> float:
        return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1e3

    def run(self) -> None:
        """Poll until stopped, or until the GPU is lost."""
        while not self.stopped.wait(READ_PERIOD_S):
            try:
                value_j, now_s = self._read_j(), time.monotonic()
            except self._nvml.NVMLError:
                return
            if not self.values_j or value_j != self.values_j[-1]:
                self.values_j.append(value_j)
                self.times_s.append(now_s)

    def joules(self, begin_s: float, end_s: float) -> float | None:
        """Return the energy between two times, linear between two changes; None if they were not read."""
        count = len(self.times_s)
        if count < 2 or begin_s < self.times_s[0] or end_s > self.times_s[count - 1] + PAUSE_S:
            return None
        return self._at_j(end_s, count) - self._at_j(begin_s, count)

    def _at_j(self, time_s: float, count: int) -> float:
        index = min(max(1, bisect_right(self.times_s, time_s, hi=count)), count - 1)
        (t0, t1), (e0, e1) = self.times_s[index - 1 : index + 1], self.values_j[index - 1 : index + 1]
        return e0 + (e1 - e0) * (time_s - t0) / (t1 - t0)


def find_gpu(nvml: Any, torch: Any, device: str) -> tuple[Any, str]:
    """Return NVML's handle and the UUID of the GPU that PyTorch calls `device`; of the first GPU for `cpu`."""
    if device == "cpu":
        handle = nvml.nvmlDeviceGetHandleByIndex(0)
        return handle, str(nvml.nvmlDeviceGetUUID(handle))
    uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"  # NVML counts GPUs that CUDA may not show
    return nvml.nvmlDeviceGetHandleByUUID(uuid), uuid


def measure(
    load: Callable[[float], None], device: str, reader: CounterReader, uuid: str, duration_s: float
) -> dict[str, Any]:
    """Return the joules of one window: by the Meter, by the second reader, and by the counter around the load."""
    time.sleep(PAUSE_S)
    before_s = time.monotonic()
    idle_j = reader.joules(before_s - 1.3, before_s - 0.3)
    with joulemark.Meter(f"{duration_s} s", device=device, sync=True, offline=True) as meter:
        load(duration_s)
    window = meter.last
    time.sleep(PAUSE_S)
    around_j = reader.joules(window.begin_s - BEFORE_S, window.end_s + AFTER_S)
    counter_j = None
    if around_j is not None and idle_j is not None:
        counter_j = around_j - idle_j * (BEFORE_S + AFTER_S)  # idle_j is of one second: watts
    reading = next((each for each in window.readings if each.component == "gpu" and each.scope == uuid), None)
    fields = ("energy_j", "low_j", "high_j", "publication_lag_s", "kind", "reason")
    return {
        "duration_s": window.duration_s,
        "meter": {name: getattr(reading, name) for name in fields} if reading else None,
        "reader_j": reader.joules(window.begin_s, window.end_s),
        "counter_j": counter_j,
        "idle_w": idle_j,
    }


def make_load(torch: Any, device: str) -> Callable[[float], None]:
    """Return a function that multiplies matrices for a time in seconds."""
    kind = device.partition(":")[0]
    dtype = torch.bfloat16 if kind == "cuda" else torch.float32
    a = torch.randn(PRODUCT[kind], PRODUCT[kind], device=device, dtype=dtype)  # power depends on the values

    def load(duration_s: float) -> None:
        end_s = time.monotonic() + duration_s
        while time.monotonic() < end_s:
            for _ in range(5):
                a @ a
            if kind == "cuda":
                torch.cuda.synchronize()

    return load


def main(device: str, durations_s: Sequence[float]) -> int:
    """Print a line of JSON for the window of each duration; return the exit status."""
    try:
        import pynvml
        import torch

        pynvml.nvmlInit()
        handle, uuid = find_gpu(pynvml, torch, device)
        reader = CounterReader(pynvml, handle)
    except Exception as error:  # noqa: BLE001  a package, the driver or the counter is missing, or anything else
        print(f"no second reader: {' '.join(str(error).split()) or type(error).__name__}", file=sys.stderr)
        return 1
    reader.start()
    load = make_load(torch, device)
    with joulemark.Meter("warm-up", device=device, sync=True, offline=True):
        load(1.0)
    for duration_s in durations_s:
        print(json.dumps(measure(load, device, reader, uuid, duration_s)), flush=True)
    reader.stopped.set()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], [float(seconds) for seconds in sys.argv[2:]]))
