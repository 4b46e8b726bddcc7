"""A Meter of 0.1 to 10 s around a constant load on a GPU, against a second reader of the same energy counter.

Run by `benchmarks.gpu` as `python -m benchmarks.gpu_meter DEVICE`; prints one line of JSON. It shows what short windows
miss, and agreement between two readers of one counter, not the counter's truth.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from bisect import bisect_right
from typing import Any

import joulemark

DURATIONS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
READ_PERIOD_S = 0.01
PAUSE_S = 2.0
"""Idle time around each window: the counter is published late, and the GPU's clocks fall slowly."""


class CounterReader(threading.Thread):
    """Reads a GPU's energy counter; keeps the time and value of each change."""

    def __init__(self, index: int) -> None:
        super().__init__(daemon=True)
        import pynvml

        pynvml.nvmlInit()
        self._read = lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByIndex(index)) / 1e3
        self.times_s: list[float] = []
        self.values_j: list[float] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        """Poll until stopped."""
        while not self.stopped.wait(READ_PERIOD_S):
            value_j, now_s = self._read(), time.monotonic()
            if not self.values_j or value_j != self.values_j[-1]:
                self.times_s.append(now_s)
                self.values_j.append(value_j)

    def at_j(self, time_s: float) -> float:
        """Return the counter at a time, linear between two changes, joules."""
        index = min(max(1, bisect_right(self.times_s, time_s)), len(self.times_s) - 1)
        (t0, t1), (e0, e1) = self.times_s[index - 1 : index + 1], self.values_j[index - 1 : index + 1]
        return e0 + (e1 - e0) * (time_s - t0) / (t1 - t0)


def main(device: str) -> None:
    """Print the joules of each window by the Meter, by the second reader, and by the counter around the load."""
    import torch

    index = int(device.partition(":")[2] or 0)
    reader = CounterReader(index)
    reader.start()
    a = torch.randn(8192, 8192, device=device, dtype=torch.bfloat16)
    rows: list[dict[str, Any]] = []
    with joulemark.Meter("warm-up", device=device, sync=True):
        _load(torch, a, 1.0)
    for duration_s in DURATIONS_S:
        time.sleep(PAUSE_S)
        before_s = time.monotonic()
        idle_w = (reader.at_j(before_s - 0.3) - reader.at_j(before_s - 1.3)) / 1.0
        with joulemark.Meter(f"{duration_s} s", device=device, sync=True) as meter:
            _load(torch, a, duration_s)
        window = meter.last
        time.sleep(PAUSE_S)
        gpu = [reading for reading in window.readings if reading.component == "gpu" and reading.energy_j is not None]
        around_j = reader.at_j(window.end_s + 1.0) - reader.at_j(window.begin_s - 0.2)
        rows.append(
            {
                "duration_s": window.duration_s,
                "meter_j": gpu[0].energy_j if gpu else None,
                "low_j": gpu[0].low_j if gpu else None,
                "high_j": gpu[0].high_j if gpu else None,
                "reader_j": reader.at_j(window.end_s) - reader.at_j(window.begin_s),
                "above_idle_around_j": around_j - idle_w * (window.duration_s + 1.2),
                "idle_w": idle_w,
            }
        )
    reader.stopped.set()
    print(json.dumps(rows))


def _load(torch: Any, a: Any, duration_s: float) -> None:
    """Multiply matrices for `duration_s`."""
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        for _ in range(5):
            a @ a
        torch.cuda.synchronize()


if __name__ == "__main__":
    main(sys.argv[1])
