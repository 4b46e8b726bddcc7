"""Power profiles whose integral is known: the loads of simulated sensors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

Array = Any
"""A numpy array of float64, or what converts to one; numpy itself is imported only where it is used."""
LOW_W, HIGH_W = 150.0, 350.0
RAMP_S = 120.0
TELEGRAPH_S = 3600.0
"""The length of the random load before it repeats, seconds."""
STEPS_S = 600.0
"""The same of the load of steps."""


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


@dataclass(frozen=True)
class LoadNoise:
    """How the power of a step that is repeated varies within a trial: shares of its mean power.

    The values are those of a real GPU, an NVIDIA H200 with driver 580.159, from a log of its energy counter and its
    instant power at 10 Hz (`docs/results/h200-nvml-10hz.csv.gz`) in the windows of its run files: a test compares them.
    """

    ripple: float = 0.33
    """Half the difference between a step's high and low power. Instant power, which observes 25 of 100 ms, varies by 18
    and 23 % (standard deviation) for steps of 44 and 72 ms: the training of transformer and ddpm at `base`."""
    wander: float = 0.04
    """Standard deviation of slower changes. With what the ripple adds, the counter's increments vary by 5 %; the log's
    by 4.0 %, the median over all windows."""
    wander_s: float = 0.11
    """Their correlation time, seconds: increments that are 0.1 s apart correlate by 0.40."""
    warming_per_s: float = 0.0006
    """How fast power rises while the chip warms up: 0.05 to 0.08 % a second where power is steadiest."""


H200_NOISE: Final = LoadNoise()
AT_POWER_LIMIT: Final = LoadNoise(ripple=0.06, wander=0.027)
"""Of vit at its limit of 700 W: the counter's increments vary by 2.7 %, instant power by 4 to 6 %."""


def noisy_steps(rng: Any, length_s: float, power_w: float, step_s: float, noise: LoadNoise) -> tuple[Array, Array]:
    """Return the power of steps that take `step_s` each: lengths of intervals (seconds), and the power in each (watts).

    A step has high power in its first half. `power_w` is the mean at the beginning; there are at least two steps.
    """
    import numpy as np
    from scipy.signal import lfilter

    count = 2 * max(2, round(length_s / step_s))
    kept = math.exp(-step_s / 2 / noise.wander_s)
    steps = rng.normal(0.0, math.sqrt(1 - kept**2), count)
    steps[0] = rng.normal()
    wander = noise.wander * lfilter([1.0], [1.0, -kept], steps)
    ripple = noise.ripple * np.where(np.arange(count) % 2, -1.0, 1.0)
    warming = noise.warming_per_s * step_s / 2 * np.arange(count)
    power = power_w * np.maximum(0.05, (1 + ripple) * (1 + wander)) * (1 + warming)
    return np.full(count, length_s / count), power


def steps(length_s: float = STEPS_S) -> PowerProfile:
    """Return steps with the noise of a real GPU, without its warming up, over and over."""
    import numpy as np

    noise = LoadNoise(warming_per_s=0.0)
    widths, power = noisy_steps(np.random.default_rng(1), length_s, HIGH_W, 0.044, noise)
    return PowerProfile("steps", tuple(np.concatenate([[0.0], np.cumsum(widths)])), tuple(power))
