"""A share of a count, with its exact interval. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from joulemark.suite.stats.intervals import CONFIDENCE


@dataclass(frozen=True)
class Proportion:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.count / self.of if self.of else None

    def interval(self) -> tuple[float, float]:
        """Return the exact 95 % interval (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934); 0 to 1 of nothing."""
        from scipy.special import betaincinv

        tail, missing = (1 - CONFIDENCE) / 2, self.of - self.count
        low = float(betaincinv(self.count, missing + 1, tail)) if self.count else 0.0
        high = float(betaincinv(self.count + 1, missing, 1 - tail)) if missing else 1.0
        return low, high
