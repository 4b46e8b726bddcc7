"""A simulated GPU whose time and joules an item at each power limit are known: what sweeps are tested against.

Power is idle power plus dynamic power, which grows with clock and voltage as f V(f)^2, and voltage linearly with clock.
A limit lowers the clock until power fits. A share of the time does not depend on the clock: memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LIMITS_W = tuple(range(300, 701, 50))


@dataclass(frozen=True)
class Board:
    """The board, and the load on it. Clocks are shares of the highest."""

    idle_w: float = 120.0
    highest_w: float = 640.0
    """What the load draws without a limit, watts."""
    memory: float = 0.35
    """Share of the time at the highest clock that does not depend on the clock."""
    base_voltage: float = 0.45
    """Share of the voltage at the highest clock that remains at clock 0."""
    item_s: float = 0.01

    def power_w(self, clock: float) -> float:
        """Return the power at a clock, watts."""
        voltage = self.base_voltage + (1 - self.base_voltage) * clock
        return self.idle_w + (self.highest_w - self.idle_w) * clock * voltage**2

    def clock(self, limit_w: float) -> float:
        """Return the highest clock whose power is within the limit, by bisection."""
        low, high = 0.05, 1.0
        if self.power_w(high) <= limit_w:
            return high
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.power_w(middle) <= limit_w else (low, middle)
        return low

    def true_values(self, limits_w: Sequence[float] = LIMITS_W) -> list[tuple[float, float]]:
        """Return seconds and joules an item at each limit."""
        clocks = [self.clock(limit_w) for limit_w in limits_w]
        times_s = [self.item_s * (self.memory + (1 - self.memory) / clock) for clock in clocks]
        return [(time_s, time_s * self.power_w(clock)) for time_s, clock in zip(times_s, clocks, strict=True)]


@dataclass(frozen=True)
class Noise:
    """Standard deviations of logarithms; by default those of a steady load that fills the GPU."""

    round: float = 0.01
    """Of what all trials of a round share: the machine's drift."""
    time: float = 0.002
    """Of the time of one trial."""
    power: float = 0.003
    """Of the power of one trial."""


def sweep(
    values: Sequence[tuple[float, float]], rounds: int, rng: np.random.Generator, noise: Noise = Noise()
) -> tuple[list[dict[int, float]], list[dict[int, float]]]:
    """Return the logs of time and of joules by round, for each setting, of one sweep over true `values`."""
    times, energies = [{} for _ in values], [{} for _ in values]
    for number in range(1, rounds + 1):
        drift = rng.normal(0, noise.round)
        for k, (time_s, energy_j) in enumerate(values):
            slow = rng.normal(0, noise.time)
            times[k][number] = math.log(time_s) + drift + slow
            energies[k][number] = math.log(energy_j) + drift + slow + rng.normal(0, noise.power)
    return times, energies
