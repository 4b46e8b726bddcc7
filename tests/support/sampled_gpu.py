"""A GPU's sensor read by the sampler's own process for a while, and its energy."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import EnergyReading, Gpu, Trace
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.sampler import Sampler


@dataclass(frozen=True)
class Sampled:
    """What the sampler recorded."""

    trace: Trace
    ready_s: float
    """When it was ready, seconds since the trace's origin."""

    def readings(self, begin_s: float, end_s: float, gpus: Sequence[Gpu]) -> tuple[EnergyReading, ...]:
        """Return the readings of a case on `cuda:0` for a window, in seconds since the sampler was ready."""
        return compute_readings([self.trace], (self.ready_s + begin_s, self.ready_s + end_s), "cuda:0", gpus)

    def reading(self, begin_s: float, end_s: float, gpus: Sequence[Gpu], scope: str) -> EnergyReading:
        """Return the first of these readings that is of the GPU `scope`."""
        return next(energy for energy in self.readings(begin_s, end_s, gpus) if energy.scope == scope)


def sample(path: Path, sensor: str, environment: dict[str, str], seconds: float) -> Sampled:
    """Run the sampler with the one `sensor` for `seconds` after it is ready, into the trace file `path`."""
    origin_s = time.monotonic()
    with Sampler.start(path, origin_s, sensors=[sensor], environment=environment) as sampler:
        ready_s = time.monotonic() - origin_s
        time.sleep(seconds)
    assert sampler.sensors == (sensor,), sampler.findings
    (trace,) = trace_file.load(path)
    return Sampled(trace, ready_s)


def gpu(uuid: str, device: str | None, **more: Any) -> Gpu:
    """Return a GPU that the frameworks call `device`."""
    return Gpu(index=0, vendor="NVIDIA", name="Test GPU", uuid=uuid, pci_bus_id="", device=device, **more)
