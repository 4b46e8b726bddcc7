"""The passes of a trial after its window: the profiled steps on a GPU, and the case at twice its batch size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from joulemark.suite.trial import timing
from joulemark.suite.trial.frameworks.prepared import Prepared, at_batch_size
from joulemark.suite.trial.gpu_busy import BUSY_SHARE, STAGES, busy_share
from joulemark.suite.trial.request import Effort, Request

MIN_STEPS: Final = 3
DOUBLED_BATCH: Final = Effort(window_s=1.0, warmup_s=0.3, max_warmup_s=2.0, guard_s=0.0)
"""Effort of the pass at twice the batch size, which reads no sensor."""


def measure(case: Prepared, request: Request, step_s: float, report: Callable[..., None]) -> None:
    """Report `gpu_busy`, the fields of `records.GpuBusy`: after the profiled steps, and again after the second pass.

    Args:
        case: The case, warmed up.
        request: What the trial was asked for.
        step_s: Duration of its step without a profiler, seconds.
        report: Called with `stage` when a pass begins, and with `gpu_busy`.
    """
    profiling, doubling = STAGES
    report(stage=profiling)
    steps = max(MIN_STEPS, round(request.effort.profiled_s / step_s))

    next_step = case.stepper()

    def run() -> None:
        for _ in range(steps):
            next_step()

    intervals = case.adapter.device_intervals(run)
    if not intervals:
        report(gpu_busy={"reason": "the framework's profiler recorded nothing on the GPU"})
        return
    share = busy_share(intervals, steps, step_s)
    report(gpu_busy={"share": share})
    if share < BUSY_SHARE:
        report(stage=doubling)
        doubled = at_batch_size(case, request, 2 * request.batch_size)
        ratio = _items_per_s(doubled) / (case.items_per_step / step_s)
        report(gpu_busy={"share": share, "doubled_batch_ratio": ratio})


def _items_per_s(case: Prepared) -> float:
    """Return the throughput of a case that has not run yet."""
    adapter = case.adapter
    step = case.stepper()
    step()
    adapter.synchronize()
    adapter.finish_background_compilation()
    durations = timing.warm_up(step, adapter.synchronize, DOUBLED_BATCH)
    count = timing.steps_per_block(durations, adapter.synchronize)
    window = timing.measure(step, adapter.synchronize, count, DOUBLED_BATCH)
    return window.steps * case.items_per_step / (window.end - window.start)
