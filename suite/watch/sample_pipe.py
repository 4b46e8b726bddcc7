"""The samples of a sampler that may run for months: through a pipe, so that no file grows."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joulemark.suite.sensors.sampler import Sampler

Entry = dict[str, Any]

PIPE_BYTES = 1 << 20
"""Minutes of samples. The most that a user may set by default (pipe(7), /proc/sys/fs/pipe-max-size); while this process
is stopped and the pipe full, sensors are not read."""


@dataclass
class SamplePipe:
    """A sampler whose trace file is a named pipe."""

    sampler: Sampler
    origin_s: float
    """CLOCK_MONOTONIC that the times of samples are relative to."""
    _descriptor: int
    _unread: bytes = b""
    """The begin of a line whose end has not been written yet."""

    @classmethod
    def start(cls, directory: Path, sensors: Sequence[str]) -> SamplePipe:
        """Start sampling, by way of a name in `directory`. Only from the main thread.

        Raises:
            UsageError, MeasurementError: as `Sampler.start`.
        """
        path, origin_s = directory / "samples", time.monotonic()
        os.mkfifo(path, 0o600)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            return cls(Sampler.start(path, origin_s, sensors), origin_s, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        finally:
            path.unlink()

    def now(self) -> float:
        """Return the time since the origin, seconds."""
        return time.monotonic() - self.origin_s

    def drain(self) -> list[Entry]:
        """Return the lines written since the last call (`suite.sensors.trace_file` has their format)."""
        blocks = [self._unread]
        with contextlib.suppress(BlockingIOError):
            while block := os.read(self._descriptor, PIPE_BYTES):
                blocks.append(block)
        *lines, self._unread = b"".join(blocks).split(b"\n")
        entries = []
        for line in lines:
            with contextlib.suppress(ValueError):
                entries.append(json.loads(line))
        return entries

    def stop(self) -> None:
        """End the sampling. What was sampled until then can still be drained."""
        self.sampler.stop()

    def close(self) -> None:
        """End the sampling and close the pipe."""
        self.sampler.stop()
        os.close(self._descriptor)
