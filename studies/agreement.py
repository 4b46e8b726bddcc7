"""Joulemark's timer against the usual timer of each framework, turn by turn on one prepared step at equal threads.

PyTorch: `torch.utils.benchmark.Timer.blocked_autorange`; TensorFlow: a hand-written loop over a `tf.function`. The
medians should agree within 2 %, on matmul 512 to 2048 and on the training step of the cnn.

`python -m studies.agreement [pytorch|tensorflow]`: both by default, each in a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from places import ROOT

from benchmarks import trials
from benchmarks.ratios import interleaved, report
from joulemark.suite.trial import allocator, timing
from joulemark.suite.trial.frameworks.prepared import prepare

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROUNDS = 21
WINDOW_S = 0.5
CASES = (("matmul", "n512"), ("matmul", "n1024"), ("matmul", "n2048"), ("cnn", "small"))
Step = Callable[[], object]


def pytorch_timer(step: Step, _count: int) -> float:
    """Return the median seconds of a step by `torch.utils.benchmark`."""
    from torch.utils.benchmark import Timer

    timer = Timer("step()", globals={"step": step}, num_threads=trials.THREADS)
    return float(timer.blocked_autorange(min_run_time=WINDOW_S).median)


def tensorflow_loop(step: Step, count: int) -> float:
    """Return the median seconds of a step by an ordinary loop: `count` calls, a wait for the devices, the clock.

    TensorFlow RFC 434 has the wait. Nothing is fetched: copying out a 1024 x 1024 matrix takes 2 % of such a block.
    """
    import tensorflow as tf

    durations = []
    end = time.perf_counter() + WINDOW_S
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(count):
            step()
        tf.test.experimental.sync_devices()
        durations.append((time.perf_counter() - start) / count)
    return statistics.median(durations)


TIMERS = {"pytorch": pytorch_timer, "tensorflow": tensorflow_loop}


def compare(framework: str, workload: str, size: str) -> bool:
    """Print the ratio of Joulemark's median step time to the framework's timer; return whether they agree."""
    request = trials.request(framework, size, window_s=WINDOW_S)
    if workload == "matmul":
        request = replace(request, workload=workload, phase="inference", batch_size=1)
    prepared = prepare(request)
    synchronize = prepared.adapter.synchronize
    effort = replace(request.effort, guard_s=0.0)

    def step() -> object:
        return prepared.step(**prepared.inputs)

    durations = timing.warm_up(step, synchronize, effort)
    count = timing.steps_per_block(durations, synchronize)

    def joulemark() -> float:
        window = timing.measure(step, synchronize, count, effort)
        return statistics.median(window.block_s) / window.steps_per_block

    ratio = interleaved(joulemark, lambda: TIMERS[framework](step, count), ROUNDS)
    name = f"{framework} {workload}:{size}, joulemark / the framework's timer"
    return report(name, ratio, "within 2 %", abs(ratio.median - 1) <= 0.02)


def main(frameworks: list[str]) -> bool:
    """Print the ratios; return whether all agree."""
    if len(frameworks) == 1:
        allocator.apply("retain")  # as in a trial: with glibc's default, PyTorch's steps vary by more than 2 %
        agreements = [compare(frameworks[0], workload, size) for workload, size in CASES]
        return all(agreements)
    commands = [[sys.executable, "-m", "studies.agreement", name] for name in TIMERS]
    exit_codes = [subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands]
    return not any(exit_codes)


if __name__ == "__main__":
    if not set(sys.argv[1:]) <= set(TIMERS):
        sys.exit(__doc__)
    sys.exit(0 if main(sys.argv[1:]) else 1)
