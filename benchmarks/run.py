"""Run all speed goals, each in a process of its own, and exit with 1 if any is missed.

`python -m benchmarks.run [NAME ...]` runs those named.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GOALS = (
    "startup",
    "harness",
    "trial_start",
    "windows",
    "sampler_cost",
    "watch_cost",
    "meter_cost",
    "report_speed",
    "history_store",
    "store_drill",
)


def main(names: list[str]) -> int:
    """Run the scripts; return 1 if any missed a goal, else 0."""
    missed = [
        name
        for name in names or GOALS
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=False).returncode
    ]
    print(f"missed: {', '.join(missed)}" if missed else "all goals met")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
