"""How wide the sets of a sweep are, and how often they hold the true best setting: the tables of docs/sweep.md.

`PYTHONPATH=tests/support python -m studies.sweep_sets` sweeps the simulated GPU of `tests/support/simulated_board.py`,
whose true values are known, at several amounts of noise between trials and numbers of rounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
from scipy import stats
from simulated_board import LIMITS_W, Board, Noise, sweep

from joulemark.suite.stats.sweep.selection import (
    Logs,
    excess_over_lowest,
    excess_over_lowest_within,
    lowest,
    lowest_within,
    time_margin,
)

RUNS, SLOWDOWN, DEFAULT = 200, 0.05, len(LIMITS_W) - 1
LOADS: Mapping[str, Board] = {
    "a third of the time in memory": Board(),
    "bound by compute": Board(memory=0.1),
    "bound by memory": Board(memory=0.7, highest_w=560.0),
}
NOISE = (0.002, 0.005, 0.01, 0.02, 0.05)
"""Standard deviation of the logarithm of a trial's time, and of its power."""
ROUNDS = (5, 10, 20)
Found = tuple[int, frozenset[int], float]
"""The setting that looks best, the set, and the bound of its excess."""


def by_joules(times: Sequence[Logs], energies: Sequence[Logs]) -> Found:
    """Return what is found for the least joules at the slow-down."""
    limit = fmean(times[DEFAULT].values()) + time_margin(SLOWDOWN)
    allowed = [i for i in range(len(times)) if i == DEFAULT or fmean(times[i].values()) <= limit]
    best = min(allowed, key=lambda i: fmean(energies[i].values()))
    found = lowest_within(energies, times, DEFAULT, SLOWDOWN)
    return best, found, excess_over_lowest_within(energies, times, DEFAULT, SLOWDOWN, best)


def by_product(times: Sequence[Logs], energies: Sequence[Logs]) -> Found:
    """Return what is found for the least energy-delay product."""
    costs = [{n: t[n] + e[n] for n in t} for t, e in zip(times, energies, strict=True)]
    best = min(range(len(costs)), key=lambda i: fmean(costs[i].values()))
    return best, lowest(costs), excess_over_lowest(costs, best)


def true_best(values: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """Return the true best setting by either goal."""
    allowed = [i for i, (time_s, _) in enumerate(values) if values[DEFAULT][0] / time_s >= 1 - SLOWDOWN]
    return min(allowed, key=lambda i: values[i][1]), min(range(len(values)), key=lambda i: math.prod(values[i]))


def row(load: str, noise: float, rounds: int) -> str:
    """Return the line of the table for one load, noise and number of rounds."""
    values, rng = LOADS[load].true_values(), np.random.default_rng(23)
    cells = []
    sweeps = [sweep(values, rounds, rng, Noise(time=noise, power=noise)) for _ in range(RUNS)]
    for goal, truth in zip((by_joules, by_product), true_best(values), strict=True):
        found = [goal(*each) for each in sweeps]
        held = sum(truth in candidates for _, candidates, _ in found)
        low = stats.binomtest(held, RUNS).proportion_ci(0.9).low
        widths = [len(candidates) for _, candidates, _ in found]
        bound = 100 * math.expm1(fmean(excess for _, _, excess in found))
        cells.append(f"{100 * held / RUNS:g} % ({100 * low:.0f}) | {fmean(widths):.1f}, {max(widths)} | {bound:.1f} %")
    return f"| {load} | {100 * noise:g} % | {rounds} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    for load in LOADS:
        for noise in NOISE:
            for rounds in ROUNDS:
                print(row(load, noise, rounds), flush=True)


if __name__ == "__main__":
    main()
