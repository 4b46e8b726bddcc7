"""A sampler that runs while windows are measured, and the readings of those windows.

with LiveSampler.start(path, sensors) as sampler:
    begin_s = sampler.now()
    ...                                 # the code that is measured
    end_s = sampler.now()
    sampler.wait_for(end_s)
    sampler.readings((begin_s, end_s), "cpu")
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import EnergyReading, Gpu, Trace
from joulemark.suite.sensors.sampler import Sampler
from joulemark.suite.sensors.trace_tail import TraceTail

MAX_WAIT_S = 3.0
"""A sensor that is silent for longer, such as a meter that logs by the minute, gives readings without a value."""
POLL_PERIOD_S = 0.02

Window = tuple[float, float]
"""Begin and end, seconds since the sampler's start."""


@dataclass
class LiveSampler:
    """The sampler, its trace file, and the clock that windows are marked on."""

    sampler: Sampler
    trace_file: TraceTail
    origin_s: float
    """CLOCK_MONOTONIC at the start."""
    started_at: datetime

    @classmethod
    def start(
        cls,
        path: Path,
        sensors: Sequence[str] = (),
        started_at: datetime | None = None,
        origin_s: float | None = None,
    ) -> LiveSampler:
        """Start sampling into `path`; return once every sensor has been read.

        Args:
            path: The trace file.
            sensors: Names of sensors; empty: all that can be read.
            started_at: The moment that seconds are counted from; now if not given.
            origin_s: CLOCK_MONOTONIC at that moment.

        Raises:
            UsageError, MeasurementError: as `Sampler.start`.
        """
        started_at = started_at or datetime.now(UTC)
        origin_s = time.monotonic() if origin_s is None else origin_s
        sampler = Sampler.start(path, origin_s, sensors)
        return cls(sampler, TraceTail(path), origin_s, started_at)

    def now(self) -> float:
        """Return the time since the start, seconds."""
        return time.monotonic() - self.origin_s

    def wait_for(self, end_s: float) -> None:
        """Wait until every sensor covers the time up to `end_s`: usually a tenth of a second, MAX_WAIT_S at most.

        An end that lies in the future is not waited for: the clock that it was read from is not this one.
        """
        give_up_s = min(end_s, self.now()) + MAX_WAIT_S
        while self.trace_file.covered_s() < end_s and self.now() < give_up_s and self.sampler.alive:
            time.sleep(POLL_PERIOD_S)

    def traces(self, windows: Iterable[Window]) -> tuple[Trace, ...]:
        """Return the traces around all of `windows`."""
        borders = [border for window in windows for border in window]
        return self.trace_file.around((min(borders), max(borders))) if borders else ()

    def readings(self, window: Window, device: str, gpus: Sequence[Gpu] = ()) -> tuple[EnergyReading, ...]:
        """Return the readings of one window, for code that runs on `device` (`cpu`, `cuda:0+cuda:1`)."""
        return compute_readings(self.traces([window]), window, device, gpus)

    def close(self) -> None:
        """Stop sampling."""
        self.sampler.stop()
        self.trace_file.close()

    def __enter__(self) -> LiveSampler:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def charged_devices(gpus: Sequence[Gpu], reason: str | None, requested: Sequence[str] = ()) -> str:
    """Return the devices whose energy code is charged with: those `requested`, else every GPU that it can see.

    `reason` is why GPUs could not be matched to the frameworks' devices. Their energy is then reported as missing,
    as device `cuda`, and not left out.
    """
    if requested:
        return "+".join(requested)
    visible = [gpu.device for gpu in gpus if gpu.device is not None]
    return "+".join(visible) or ("cuda" if gpus and reason else "cpu")
