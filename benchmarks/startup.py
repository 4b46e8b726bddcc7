"""What `joulemark --help` costs, against importing the two libraries that it cannot do without.

Goal: at most three times `python -c "import typer, rich"`.
"""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.ratios import interleaved, report

ROUNDS = 15


def seconds(*arguments: str) -> float:
    """Wall time of a Python process."""
    start = time.monotonic()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def main() -> bool:
    """Print the ratio; whether the goal is met."""
    code = "import sys; sys.argv = ['joulemark', '--help']; from joulemark.suite.cli.app import main; main()"
    ratio = interleaved(lambda: seconds("-P", "-c", code), lambda: seconds("-c", "import typer, rich"), ROUNDS)
    return report("joulemark --help / import typer, rich", ratio, "<= 3", ratio.median <= 3)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
