"""The start-up time of `joulemark --help`, over that of importing the two libraries it needs.

Goal: at most three times `python -c "import typer, rich"`.
"""

from __future__ import annotations

import subprocess
import sys
import time

from command import COMMAND

from benchmarks.ratios import interleaved, report

ROUNDS = 15


def seconds(*command: str) -> float:
    """Return the wall time of a command, seconds."""
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def main() -> bool:
    """Print the ratio; return whether it meets the goal."""
    ratio = interleaved(
        lambda: seconds(*COMMAND, "--help"), lambda: seconds(sys.executable, "-c", "import typer, rich"), ROUNDS
    )
    return report("joulemark --help / import typer, rich", ratio, "<= 3", ratio.median <= 3)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
