"""The machine's noise floor: a short fixed loop of arithmetic and of copying, in a fresh process each time.

What varies here varies without any framework: the machine's own part in what results vary from round to round.
Run as `python -P -m joulemark.suite.trial.noise_floor`; prints one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping

from joulemark.suite.errors import MeasurementError

SIDE = 512
"""Rows of the square matrices, as in the smallest matmul that the frameworks are compared with."""

COPY_BYTES = 64 * 2**20
"""Larger than most last-level caches, so that the copy is memory's."""

REPEATS = 5

TIMEOUT_S = 120


def measure(environment: Mapping[str, str]) -> dict[str, float]:
    """`arithmetic_s` and `copy_s` of one pass, seconds, from a fresh process. MeasurementError where it fails."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "joulemark.suite.trial.noise_floor"],
            capture_output=True,
            text=True,
            env=dict(environment),
            timeout=TIMEOUT_S,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        raise MeasurementError(f"a fixed loop did not end within {TIMEOUT_S} s") from None
    if done.returncode:
        why = "".join(done.stderr.strip().splitlines()[-1:]) or f"exit status {done.returncode}"
        raise MeasurementError(f"a fixed loop failed: {why}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Time both loops; each the total of REPEATS passes over memory that was touched before."""
    import numpy as np

    generator = np.random.default_rng(0)
    a, b = generator.standard_normal((2, SIDE, SIDE), dtype=np.float32)
    product = a @ b
    source = np.ones(COPY_BYTES // 8)
    target = np.empty_like(source)
    target[:] = source
    start = time.monotonic()
    for _ in range(REPEATS):
        np.matmul(a, b, out=product)
    between = time.monotonic()
    for _ in range(REPEATS):
        np.copyto(target, source)
    end = time.monotonic()
    print(json.dumps({"arithmetic_s": between - start, "copy_s": end - between}))


if __name__ == "__main__":
    main()
