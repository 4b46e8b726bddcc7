"""How busy a GPU is in a step: the union of what ran on it, as a share of the step's time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

Interval = tuple[float, float]
"""Start and end of one kernel, copy or fill on a device, seconds."""
BUSY_SHARE: Final = 0.8
"""A GPU that is busy for less of a step's time waits for something."""
LAUNCH_BOUND_RATIO: Final = 1.5
"""Throughput at twice the batch size over that of the case: 2 if a step takes no longer, since the CPU sets its pace by
starting as many kernels as before; 1 if the GPU does."""
STAGES: Final = ("gpu_busy", "doubled_batch")
"""The stages of a trial that measure this, after its result is complete: a failure in one costs only its values."""


def busy_s(intervals: Iterable[Interval]) -> float:
    """Return the length of the union of `intervals`, seconds: streams overlap, and each moment counts once."""
    total = 0.0
    covered_until = float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, covered_until))
        covered_until = max(covered_until, end)
    return total


def busy_share(intervals: Iterable[Interval], steps: int, step_s: float) -> float:
    """Return the share of a step's time in which the GPU was busy, at most 1.

    Args:
        intervals: What ran on the GPU in `steps` steps under a profiler.
        steps: Their number.
        step_s: Duration of a step without the profiler, which slows the CPU but not the kernels, seconds.
    """
    return min(1.0, busy_s(intervals) / steps / step_s)
