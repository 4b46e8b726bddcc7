"""Speed goals, as ratios measured in one run: `python -m benchmarks.run`, or `python -m benchmarks.NAME` for one."""

import sys
from pathlib import Path

# The test helpers build run files and sensor trees. Appended last, they hide no installed package.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
