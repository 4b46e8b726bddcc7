"""Ratios of two things measured turn by turn in one run: drift falls on both alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Ratio:
    """Median of the pairs' ratios, with the 95 % interval of the median by order statistics (binomial)."""

    median: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.median:.4f} [{self.low:.4f}, {self.high:.4f}] n={self.n}"


def interleaved(a: Callable[[], float], b: Callable[[], float], rounds: int) -> Ratio:
    """Ratio a/b of `rounds` pairs, each pair in the order that the last one did not have (A B, B A, ...)."""
    ratios = []
    for number in range(rounds):
        first, second = (a, b) if number % 2 == 0 else (b, a)
        x, y = first(), second()
        ratios.append(x / y if number % 2 == 0 else y / x)
    return summarise(ratios)


def summarise(ratios: Sequence[float]) -> Ratio:
    """The median of `ratios` and the distribution-free interval of it (Conover 1999, section 3.2)."""
    ordered = np.sort(ratios)
    n = len(ordered)
    below = int(stats.binom.ppf(0.025, n, 0.5))
    return Ratio(float(np.median(ordered)), float(ordered[below]), float(ordered[n - 1 - below]), n)


def report(name: str, ratio: Ratio, goal: str, met: bool) -> bool:
    """Print one line of the benchmark's table; returns `met`."""
    print(f"{'met ' if met else 'MISS'}  {name:<58} {ratio}   goal: {goal}", flush=True)
    return met
