"""False alarms and power of the test that finds slow GPUs among those of a machine, on simulated ones.

    python -m studies.gpus docs/results/gpus.json [SCALE]

prints the tables of docs/gpus.md; SCALE multiplies the number of comparisons (default 1: seconds). Each
simulated machine has the same case in ROUNDS rounds on all GPUs, alone and together. Healthy GPUs differ: by silicon,
cooling and limits, alone and together alike. Trials vary, and so do rounds, which all GPUs share.
"""

from __future__ import annotations

import json
import math
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from joulemark.suite.stats.proportion import Proportion
from studies.gpus_at_once import check, unlike_others_of_many
from studies.gpus_tables import tables

ROUNDS: Final = 3
TRIAL_DEVIATION: Final = 0.005
ROUND_DEVIATION: Final = 0.02
NEIGHBOURS: Final = 0.97
COUNTS: Final = (2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 512)
SHAPES: Final[dict[str, Callable[[np.random.Generator, tuple[int, int]], Any]]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-math.sqrt(3), math.sqrt(3), shape),
    "heavy tails": lambda rng, shape: rng.standard_t(5, shape) / math.sqrt(5 / 3),
}
"""How the speeds of healthy GPUs are distributed, with deviation 1; heavy tails: Student's t with 5 degrees."""


@dataclass(frozen=True)
class Machine:
    """A kind of machine that is simulated."""

    gpus: int
    spread: float
    """Standard deviation between healthy GPUs, as a share of their speed."""
    shape: str = "normal"
    slow: int = 0
    """How many are slower."""
    by: float = 0.0
    """By which share."""
    alone: bool = True
    """Whether also alone; else only together, as a GPU that gets too warm."""

    def measure(self, rng: np.random.Generator, comparisons: int) -> list[Any]:
        """Return log rates, alone and together: by comparison, GPU and round; the slow GPUs come first."""
        shape = comparisons, self.gpus
        healthy = self.spread * SHAPES[self.shape](rng, shape)
        lost = np.where(np.arange(self.gpus) < self.slow, math.log1p(-self.by), 0.0)
        tables = []
        for alone in (True, False):
            mean = 0.0 if alone else math.log(NEIGHBOURS)
            of_rounds = rng.normal(mean, ROUND_DEVIATION, (comparisons, 1, ROUNDS))
            of_gpus = healthy + (lost if self.alone or not alone else 0.0)
            tables.append(of_gpus[..., np.newaxis] + of_rounds + rng.normal(0.0, TRIAL_DEVIATION, (*shape, ROUNDS)))
        return tables

    def count_named(self, comparisons: int) -> dict[str, Any]:
        """Return how many comparisons name a healthy GPU, and how many of the slow ones are named."""
        rng = np.random.default_rng(zlib.crc32(repr(self).encode()))
        named = np.zeros((comparisons, self.gpus), dtype=bool)
        for table in self.measure(rng, comparisons):
            found = unlike_others_of_many(table)
            check(table, found)
            named |= found
        alarms, found_slow = int(named[:, self.slow :].any(axis=1).sum()), int(named[:, : self.slow].sum())
        row = asdict(self) | {"comparisons": comparisons, "false_alarms": _with_interval(alarms, comparisons)}
        return row | ({"power": _with_interval(found_slow, comparisons * self.slow)} if self.slow else {})


def _with_interval(count: int, of: int) -> dict[str, float | None]:
    share = Proportion(count, of)
    low, high = share.interval()
    return {"count": count, "rate": share.value, "low": low, "high": high}


def machines() -> dict[str, Iterator[tuple[Machine, int]]]:
    """Return the machines of each section with their number of comparisons."""

    def often(gpus: int, comparisons: int) -> int:
        return comparisons if gpus <= 64 else comparisons // (2 if gpus <= 128 else 4)

    several = [count for count in COUNTS if count >= 4]
    return {
        # Two or three equal GPUs differ by chance only: real spread between them is a difference.
        "healthy": (
            (Machine(gpus, spread, shape), often(gpus, 8000))
            for gpus in COUNTS
            for spread, shape in ((0.0, "normal"), (0.01, "normal"), (0.01, "uniform"))
            if gpus >= 4 or spread == 0
        ),
        "heavy": ((Machine(gpus, 0.01, "heavy tails"), often(gpus, 4000)) for gpus in several),
        "some_slow": (
            (Machine(gpus, 0.01, "normal", slow, by, alone), often(gpus, 4000))
            for gpus in several
            for slow, by, alone in ((1, 0.05, True), (gpus // 4, 0.05, True), (1, 0.2, False))
        ),
        "one_slow": (
            (Machine(gpus, spread, "normal", 1, by), often(gpus, 1000))
            for gpus in several
            for spread in (0.005, 0.01, 0.02)
            for by in (0.02, 0.03, 0.05, 0.1, 0.2)
        ),
        "two_or_three": (
            (Machine(gpus, 0.0, "normal", 1, by), 800) for gpus in COUNTS if gpus < 4 for by in (0.02, 0.03, 0.05, 0.1)
        ),
    }


if __name__ == "__main__":
    scale = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    study = {
        section: [machine.count_named(max(20, round(scale * comparisons))) for machine, comparisons in rows]
        for section, rows in machines().items()
    }
    Path(sys.argv[1]).write_text(json.dumps(study, indent=1) + "\n", encoding="utf-8")
    print(tables(study))
