"""The machine's noise floor: a short fixed loop of arithmetic and of copying, in a fresh process each time.

Whatever varies here varies without any framework: the machine's share of the variation between rounds. Run as
`python -P -m joulemark.suite.trial.noise_floor`; prints one line of JSON.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Mapping

from joulemark.suite.errors import MeasurementError, UsageError
from joulemark.suite.trial import processes

MATRIX_ROWS = 512
"""As in the smallest matmul that the frameworks are compared with."""
COPY_BYTES = 64 * 2**20
"""Larger than most last-level caches: the copy is limited by memory."""
REPEATS = 5
TIMEOUT_S = 120


def measure(environment: Mapping[str, str]) -> dict[str, float]:
    """Run both loops in a fresh process. Return `arithmetic_s` and `copy_s`, seconds.

    Raises MeasurementError if the process fails.
    """
    from joulemark.suite.trial.discover import run_module

    try:
        durations: dict[str, float] = run_module(sys.executable, "noise_floor", [], TIMEOUT_S, environment)
    except (ValueError, UsageError) as error:
        raise MeasurementError(f"the fixed loop failed: {error}") from None
    return durations


def main() -> None:
    """Print the duration of each loop: REPEATS passes over memory that was touched before."""
    processes.die_with_parent(signal.SIGKILL)
    import numpy as np

    generator = np.random.default_rng(0)
    a, b = generator.standard_normal((2, MATRIX_ROWS, MATRIX_ROWS), dtype=np.float32)
    product = a @ b
    source = np.ones(COPY_BYTES // 8)
    target = np.empty_like(source)
    target[:] = source
    start = time.monotonic()
    for _ in range(REPEATS):
        np.matmul(a, b, out=product)
    arithmetic_end = time.monotonic()
    for _ in range(REPEATS):
        np.copyto(target, source)
    end = time.monotonic()
    print(json.dumps({"arithmetic_s": arithmetic_end - start, "copy_s": end - arithmetic_end}))


if __name__ == "__main__":
    main()
