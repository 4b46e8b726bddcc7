"""Ratios of two durations or rates measured turn by turn in one run, where drift affects both sides alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Ratio:
    """The median ratio of pairs, with its 95 % interval by order statistics (binomial)."""

    median: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.median:.4f} [{self.low:.4f}, {self.high:.4f}] n={self.n}"


def interleaved(a: Callable[[], float], b: Callable[[], float], rounds: int) -> Ratio:
    """Return the ratio a/b of `rounds` pairs; the order alternates from pair to pair (A B, B A, ...)."""
    ratios = []
    for number in range(rounds):
        if number % 2 == 0:
            value_a, value_b = a(), b()
        else:
            value_b, value_a = b(), a()
        ratios.append(value_a / value_b)
    return summarise(ratios)


def summarise(ratios: Sequence[float]) -> Ratio:
    """Return the median of `ratios` and its distribution-free interval (Conover 1999, section 3.2)."""
    ordered = np.sort(ratios)
    n = len(ordered)
    below = int(stats.binom.ppf(0.025, n, 0.5))
    return Ratio(float(np.median(ordered)), float(ordered[below]), float(ordered[n - 1 - below]), n)


def report(name: str, measured: object, goal: str | None = None, met: bool = True) -> bool:
    """Print one line of results, marked `met` or `MISS` if there is a goal; return `met`."""
    mark = "    " if goal is None else "met " if met else "MISS"
    suffix = "" if goal is None else f"   goal: {goal}"
    print(f"{mark}  {name:<58} {measured}{suffix}", flush=True)
    return met
