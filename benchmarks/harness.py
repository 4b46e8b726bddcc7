"""The cost of the harness: step time inside its timing loop over that of a bare Python loop, for a step of about 1 ms.

Goal: a ratio of at most 1.005, the upper end of its interval at most 1.02.
"""

from __future__ import annotations

import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from benchmarks.ratios import interleaved, report
from joulemark.suite.trial import timing
from joulemark.suite.trial.request import Effort

ROUNDS = 100
WINDOW_S = 0.25


def main() -> bool:
    """Print the ratio; return whether it meets the goal."""
    generator = np.random.default_rng(0)
    a, b = generator.standard_normal((2, 320, 320))
    out = np.empty_like(a)

    def step() -> None:
        np.matmul(a, b, out=out)

    effort = Effort(window_s=WINDOW_S, warmup_s=0.1, max_warmup_s=0.5, guard_s=0.0)
    durations = timing.warm_up(step, lambda: None, effort)
    count = timing.steps_per_block(durations, lambda: None)
    steps = max(1, round(WINDOW_S / np.median(durations)))

    def in_harness() -> float:
        window = timing.measure(step, lambda: None, count, effort)
        return (window.end - window.start) / window.steps

    def in_bare_loop() -> float:
        start = time.monotonic()
        for _ in range(steps):
            step()
        return (time.monotonic() - start) / steps

    ratio = interleaved(in_harness, in_bare_loop, ROUNDS)
    name = f"harness / bare loop, step of {1e3 * np.median(durations):.2f} ms"
    return report(name, ratio, "<= 1.005, interval <= 1.02", ratio.median <= 1.005 and ratio.high <= 1.02)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
