"""A sampler that runs for as long as somebody marks windows, and the readings of those windows.

with Station.start(path, sensors) as station:
    begin = station.now()
    ...                                     # whatever is measured: nothing of ours runs in its process
    end = station.now()
    station.wait_for(end)
    station.readings((begin, end), "cpu")
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

LONGEST_WAIT_S = 3.0
"""A sensor that is silent for longer (a meter that logs by the minute) leaves its readings without a value."""
PAUSE_S = 0.02

Window = tuple[float, float]
"""Seconds since the station's start."""


@dataclass
class LiveSampler:
    """The sampler, its file, and the clock that windows are marked on."""

    sampler: Sampler
    file: TraceTail
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
        """Start sampling into `path`; returns once every sensor has been read. Errors as `Sampler.start` has them.

        `started_at`, `origin_s`: the moment that seconds count from, and CLOCK_MONOTONIC then; now unless given.
        """
        started_at = started_at or datetime.now(UTC)
        origin_s = time.monotonic() if origin_s is None else origin_s
        sampler = Sampler.start(path, origin_s, sensors)
        return cls(sampler, TraceTail(path), origin_s, started_at)

    def now(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.origin_s

    def wait_for(self, end_s: float) -> None:
        """Wait until every sensor speaks for the time up to `end_s`: usually a tenth of a second, 3 s at most."""
        give_up_s = end_s + LONGEST_WAIT_S
        while self.file.covered_s() < end_s and self.now() < give_up_s and self.sampler.alive:
            time.sleep(PAUSE_S)

    def traces(self, windows: Iterable[Window]) -> tuple[Trace, ...]:
        """The traces around all of `windows`."""
        borders = [border for window in windows for border in window]
        return self.file.around((min(borders), max(borders))) if borders else ()

    def readings(self, window: Window, device: str, gpus: Sequence[Gpu] = ()) -> tuple[EnergyReading, ...]:
        """All readings of one window for code that runs on `device` (`cpu`, `cuda:0+cuda:1`)."""
        return compute_readings(self.traces([window]), window, device, gpus)

    def close(self) -> None:
        """End the sampling."""
        self.sampler.stop()
        self.file.close()

    def __enter__(self) -> LiveSampler:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def devices(gpus: Sequence[Gpu], reason: str | None, asked: Sequence[str] = ()) -> str:
    """What code is charged with that did not say: the processor, and every board that it can see.

    `reason` is why boards could not be matched to the frameworks' devices: they are then known to be missing.
    """
    if asked:
        return "+".join(asked)
    seen = [gpu.device for gpu in gpus if gpu.device is not None]
    return "+".join(seen) or ("cuda" if gpus and reason else "cpu")
