"""The machine's noise floor: a short fixed loop of arithmetic and of copying, in a fresh process each time.

Whatever varies here varies without any framework: the machine's share of the variation between rounds. Repeated for
some tenths of a second, the loop is also the reference that tells how fast the machine is in one run against another:
its code never changes, one half of it computes and the other moves memory. Run as
`python -P -m joulemark.suite.trial.noise_floor [SECONDS]`; prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from joulemark.suite.errors import MeasurementError, UsageError
from joulemark.suite.trial import processes

MATRIX_ROWS = 512
"""As in the smallest matmul that the frameworks are compared with."""
COPY_BYTES = 64 * 2**20
"""Larger than most last-level caches: the copy is limited by memory."""
REPEATS = 5
"""Passes of one loop."""
VERSION = 1
"""Counts the changes of the loop: references of different versions are not compared."""
TIMEOUT_S = 120


def measure(environment: Mapping[str, str], repeat_s: float = 0.0) -> dict[str, Any]:
    """Run both loops in a fresh process. Return `arithmetic_s` and `copy_s`, the duration of a loop in seconds.

    With `repeat_s`, each is repeated for so long: the durations are means, and `loops` and `reference` are added, as in
    `records.Floor`.

    Raises MeasurementError if the process fails.
    """
    from joulemark.suite.trial.discover import run_module

    try:
        arguments = [str(repeat_s)] if repeat_s else []
        durations: dict[str, Any] = run_module(sys.executable, "noise_floor", arguments, TIMEOUT_S, environment)
    except (ValueError, UsageError) as error:
        raise MeasurementError(f"the fixed loop failed: {error}") from None
    return durations


def main() -> None:
    """Print the duration of each loop: REPEATS passes over memory that was touched before."""
    repeat_s = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    processes.die_with_parent(signal.SIGKILL)
    import numpy as np

    generator = np.random.default_rng(0)
    a, b = generator.standard_normal((2, MATRIX_ROWS, MATRIX_ROWS), dtype=np.float32)
    product = a @ b
    source = np.ones(COPY_BYTES // 8)
    target = np.empty_like(source)
    target[:] = source
    arithmetic_s, arithmetic_loops = _mean_loop_s(lambda: np.matmul(a, b, out=product), repeat_s)
    copy_s, copy_loops = _mean_loop_s(lambda: np.copyto(target, source), repeat_s)
    result: dict[str, Any] = {"arithmetic_s": arithmetic_s, "copy_s": copy_s}
    if repeat_s:
        blas = np.show_config(mode="dicts")["Build Dependencies"].get("blas", {})
        parts = (
            f"loop {VERSION}",
            f"numpy {np.__version__}",
            f"{blas.get('name', '')} {blas.get('version', '')}".strip(),
        )
        label = ", ".join([*filter(None, parts), f"{os.environ.get('OPENBLAS_NUM_THREADS', 'all')} threads"])
        result |= {"loops": [arithmetic_loops, copy_loops], "reference": label}
    print(json.dumps(result))


def _mean_loop_s(run_pass: Callable[[], object], repeat_s: float) -> tuple[float, int]:
    """Return the mean duration of a loop, seconds, and how many there were: at least one, for at least `repeat_s`."""
    loops, start = 0, time.monotonic()
    while True:
        for _ in range(REPEATS):
            run_pass()
        loops += 1
        duration_s = time.monotonic() - start
        if duration_s >= repeat_s:
            return duration_s / loops, loops


if __name__ == "__main__":
    main()
