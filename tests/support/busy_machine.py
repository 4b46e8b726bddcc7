"""Tests on a machine that may be busy: they wait for what another process does, and repeat what it was late for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from joulemark.suite.sensors import trace_file

LIMIT_S = 120.0
ATTEMPTS = 5


def wait_until(condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Wait until `condition` is true; fail after `limit_s`."""
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def wait_for_reads(path: Path, count: int = 3, after_s: float = -math.inf) -> None:
    """Wait until each sensor in a trace file has been read so often after a time, seconds since the trace's origin."""

    def has_reads() -> bool:
        traces = trace_file.load(path)
        return bool(traces) and all(sum(t > after_s for t in trace.t_s) >= count for trace in traces)

    wait_until(has_reads)


def undisturbed(check: Callable[[Path], None], folder: Path) -> None:
    """Call `check` in a folder of its own, and again if it fails: what it checks holds unless the machine is busy.

    A process that gets no core for a tenth of a second reads a sensor late, or moves a counter late. What is wrong by
    itself fails each time.
    """
    for attempt in range(1, ATTEMPTS + 1):
        own = folder / f"attempt-{attempt}"
        own.mkdir()
        try:
            check(own)
        except AssertionError:
            if attempt == ATTEMPTS:
                raise
        else:
            return
