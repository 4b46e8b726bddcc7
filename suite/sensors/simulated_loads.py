"""Power profiles whose integral is known: the loads of simulated sensors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Array = Any
"""A numpy array of float64, or what converts to one; numpy itself is imported only where it is used."""
LOW_W, HIGH_W = 150.0, 350.0
RAMP_S = 120.0
TELEGRAPH_S = 3600.0
"""The length of the random load before it repeats, seconds."""


@dataclass(frozen=True)
class PowerProfile:
    """A periodic power curve, constant or linear between points."""

    name: str
    t_s: tuple[float, ...]
    """Times of the points, seconds, from 0 to the period."""
    power_w: tuple[float, ...]
    """The power of each interval between two points; with `ramp`, at each point."""
    ramp: bool = False

    @cached_property
    def _arrays(self) -> tuple[Array, Array, Array, Array]:
        """Points, powers, lengths of the intervals, and joules from 0 to each point."""
        import numpy as np

        points, power = np.asarray(self.t_s), np.asarray(self.power_w)
        widths = np.diff(points)
        steps = widths * (power[:-1] + power[1:]) / 2 if self.ramp else widths * power
        return points, power, widths, np.concatenate([[0.0], np.cumsum(steps)])

    def energy_j(self, t_s: Array) -> Array:
        """Return the joules from 0 to each of `t_s` (any shape, may be negative)."""
        import numpy as np

        points, power, widths, totals = self._arrays
        periods, within = np.divmod(np.asarray(t_s, dtype=float), points[-1])
        i = np.clip(np.searchsorted(points, within, side="right") - 1, 0, len(widths) - 1)
        into = within - points[i]
        slope = np.diff(power)[i] / widths[i] if self.ramp else 0.0
        energy: Array = periods * totals[-1] + totals[i] + power[i] * into + slope * into**2 / 2
        return energy

    def mean_w(self, window_s: tuple[float, float]) -> float:
        """Return the true mean power over a window, watts."""
        begin_j, end_j = self.energy_j((window_s[0], window_s[1]))
        return float(end_j - begin_j) / (window_s[1] - window_s[0])


def constant() -> PowerProfile:
    """Return constant high power."""
    return PowerProfile("constant", (0.0, 1.0), (HIGH_W,))


def ramp() -> PowerProfile:
    """Return a rise from low to high over two minutes, with a sudden fall."""
    return PowerProfile("ramp", (0.0, RAMP_S), (LOW_W, HIGH_W), ramp=True)


def square(period_s: float = 0.1, duty: float = 0.5, high_w: float = HIGH_W, low_w: float = LOW_W) -> PowerProfile:
    """Return a square wave: high for the share `duty` of the period, then low."""
    return PowerProfile("square", (0.0, duty * period_s, period_s), (high_w, low_w))


def telegraph(shortest_s: float = 0.005, longest_s: float = 0.5, length_s: float = TELEGRAPH_S) -> PowerProfile:
    """Return high and low power in turn, each for a random time, drawn on a logarithmic scale."""
    import numpy as np

    rng = np.random.default_rng(1)
    mean_s = (longest_s - shortest_s) / math.log(longest_s / shortest_s)
    dwell_s = np.exp(rng.uniform(math.log(shortest_s), math.log(longest_s), 2 * math.ceil(length_s / mean_s / 2)))
    points = np.concatenate([[0.0], np.cumsum(dwell_s)])
    return PowerProfile("telegraph", tuple(points), tuple(np.where(np.arange(len(dwell_s)) % 2, LOW_W, HIGH_W)))
