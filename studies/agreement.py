"""Our timer against the one that the framework's users have, turn by turn on one prepared step at equal threads.

PyTorch: `torch.utils.benchmark.Timer.blocked_autorange`; TensorFlow: a hand-written loop over a `tf.function`.
Goal: medians within 2 %, on matmul 512 to 2048 and the cnn's training step. Each framework in a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from benchmarks import trials
from benchmarks.ratios import interleaved, report
from joulemark.suite.trial import allocator, timing
from joulemark.suite.trial.worker import prepare

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROUNDS = 21
WINDOW_S = 0.5
CASES = (("matmul", "n512"), ("matmul", "n1024"), ("matmul", "n2048"), ("cnn", "small"))


def pytorch(once: Callable[[], object], _count: int) -> float:
    """Median seconds of a step by `torch.utils.benchmark`."""
    from torch.utils.benchmark import Timer

    timer = Timer("once()", globals={"once": once}, num_threads=trials.THREADS)
    return float(timer.blocked_autorange(min_run_time=WINDOW_S).median)


def tensorflow(once: Callable[[], object], count: int) -> float:
    """Median seconds of a step by a loop as one writes it: some calls, the devices waited for (TensorFlow RFC 434), the
    clock read. Nothing is fetched: to copy a matrix of 1024 x 1024 out takes 2 % of such a block."""
    import tensorflow as tf

    durations = []
    end = time.perf_counter() + WINDOW_S
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(count):
            once()
        tf.test.experimental.sync_devices()
        durations.append((time.perf_counter() - start) / count)
    return statistics.median(durations)


def compare(framework: str, workload: str, size: str, theirs: Callable[[Callable[[], object], int], float]) -> bool:
    """Print the ratio of our median step time to theirs; whether it is within the goal."""
    request = trials.request(framework, size, window_s=WINDOW_S)
    if workload == "matmul":
        request = replace(request, workload=workload, phase="inference", batch_size=1)
    prepared = prepare(request)
    effort = replace(request.effort, guard_s=0.0)

    def once() -> object:
        return prepared.step(**prepared.inputs)

    durations = timing.warm_up(once, prepared.adapter.synchronize, effort)
    count = timing.steps_per_block(durations, prepared.adapter.synchronize)

    def ours() -> float:
        window = timing.measure(once, prepared.adapter.synchronize, count, effort)
        return statistics.median(window.block_s) / window.steps_per_block

    ratio = interleaved(ours, lambda: theirs(once, count), ROUNDS)
    return report(f"{framework} {workload}:{size}, ours / theirs", ratio, "within 2 %", abs(ratio.median - 1) <= 0.02)


def main(arguments: list[str]) -> bool:
    """Print the ratios; whether all goals are met."""
    if not arguments:
        runs = [subprocess.run([sys.executable, __file__, name], check=False) for name in ("pytorch", "tensorflow")]
        return not any(run.returncode for run in runs)
    framework = arguments[0]
    allocator.apply("retain")  # as in a trial: under glibc's default PyTorch's steps vary by more than the goal
    theirs = {"pytorch": pytorch, "tensorflow": tensorflow}[framework]
    met = [compare(framework, workload, size, theirs) for workload, size in CASES]  # all are printed
    return all(met)


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
