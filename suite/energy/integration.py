"""One channel around one window: its values, the energy between two times, and the error of that energy. Pure.

A counter is interpolated linearly at the window's ends. Power samples are integrated by trapezoids, with the ends
interpolated too; power is held constant only outside the first and the last sample. A value stands for a time before it
was read: half of what it averages over, and half of the update period.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from joulemark.suite.energy.aliasing import worst_unevenness
from joulemark.suite.records import Channel, Trace

MAX_GAP_PERIODS = 5.0
"""A gap of more reads than this makes the energy unknown, if it lies where reads matter."""
MARGIN = 24
"""Reads kept on either side of the window."""
MAX_SAMPLES = 1000
"""Samples folded by a step, at most. Over more, both neighbours of an aliased period would drift through the step, and
the aliased period between them would be missed; and folding a day of samples takes half a minute a reading."""
MAX_POWER_FACTOR = 5.0
"""Where no power limit is known: about the most that a GPU draws, over what it draws while it waits for work."""


@dataclass(frozen=True)
class Curve:
    """The values of `channel` that could be read around a window, at the times they stand for."""

    channel: Channel
    t_s: Sequence[float]
    values: Sequence[float]
    read_period_s: float
    """Median time between two reads, seconds."""
    update_period_s: float | None
    """Time between two updates of the value, seconds: the channel's, or for a counter as observed; None if unknown."""

    @classmethod
    def around(cls, trace: Trace, channel: Channel, window_s: tuple[float, float]) -> Curve:
        """Return `channel` of `trace` around `window_s` (seconds since the run's start)."""
        lag = lag_s(channel)
        first = max(0, bisect_left(trace.t_s, window_s[0]) - MARGIN)
        last = bisect_right(trace.t_s, window_s[1] + lag) + MARGIN
        times, values = trace.t_s[first:last], channel.values[first:last]
        pairs = [(t - lag, v) for t, v in zip(times, values, strict=True) if v is not None]
        intervals = [b - a for a, b in pairwise(times)]
        t_s, known = [t for t, _ in pairs], [v for _, v in pairs]
        is_known = channel.tick_s is not None or channel.unit == "W"
        update_period_s = channel.tick_s if is_known else observed_update_period_s(t_s, known)
        return cls(channel, t_s, known, statistics.median(intervals) if intervals else 0.0, update_period_s)

    @property
    def is_counter(self) -> bool:
        """Whether the values are joules."""
        return self.channel.unit == "J"

    @property
    def sample_period_s(self) -> float:
        """Time between two observations that enter the values, seconds; 0 where unknown."""
        return max(self.update_period_s or 0.0, 0.0 if self.is_counter else self.read_period_s)

    @property
    def observed_share(self) -> float:
        """The share of the time that enters the values."""
        if self.is_counter:
            return self.channel.coverage
        observed_s = max(self.channel.average_s, self.channel.coverage * (self.update_period_s or 0.0))
        return min(1.0, observed_s / self.sample_period_s) if self.read_period_s else 0.0

    def energy_j(self, window_s: tuple[float, float]) -> float:
        """Return the joules in the window."""
        if self.is_counter:
            return self._interpolate(window_s[1]) - self._interpolate(window_s[0])
        blocks = round((window_s[1] - window_s[0]) / self.channel.average_s) if self._averages_overlap else 0
        return self._blocks_j(window_s, blocks) if blocks else self._trapezoid_j(window_s)

    @property
    def _averages_overlap(self) -> bool:
        """Whether each value averages over several reads."""
        return self.channel.average_s > 2 * max(self.read_period_s, self.update_period_s or 0.0) > 0

    def _blocks_j(self, window_s: tuple[float, float], blocks: int) -> float:
        """Return the energy from averages over `average_s`, laid end to end.

        Exact whatever the power does, except for the remainder of the window that no whole average fits in. Computed
        from the window's end and from its beginning, and averaged.
        """
        block_s = self.channel.average_s
        begin_s, end_s = window_s
        from_end_j = sum(self.power_w(end_s - (k + 0.5) * block_s) for k in range(blocks)) * block_s
        from_begin_j = sum(self.power_w(begin_s + (k + 0.5) * block_s) for k in range(blocks)) * block_s
        before_j = self._signed_j(begin_s, end_s - blocks * block_s)
        after_j = self._signed_j(begin_s + blocks * block_s, end_s)
        return (from_end_j + before_j + from_begin_j + after_j) / 2

    def _signed_j(self, begin_s: float, end_s: float) -> float:
        """Return the integral from one time to the other; negative if the second is the earlier."""
        if begin_s == end_s:
            return 0.0
        return self._trapezoid_j((begin_s, end_s)) if begin_s < end_s else -self._trapezoid_j((end_s, begin_s))

    def _trapezoid_j(self, window_s: tuple[float, float]) -> float:
        inside = range(bisect_right(self.t_s, window_s[0]), bisect_left(self.t_s, window_s[1]))
        times = [window_s[0], *(self.t_s[i] for i in inside), window_s[1]]
        powers = [self.power_w(window_s[0]), *(self.values[i] for i in inside), self.power_w(window_s[1])]
        return sum((b - a) * (p + q) / 2 for (a, b), (p, q) in zip(pairwise(times), pairwise(powers), strict=True))

    def power_w(self, time_s: float) -> float:
        """Return the sampled power at `time_s`: linear between samples, constant outside the first and last."""
        if time_s <= self.t_s[0]:
            return self.values[0]
        if time_s >= self.t_s[-1]:
            return self.values[-1]
        return self._interpolate(time_s)

    def powers_w(self, window_s: tuple[float, float]) -> list[float]:
        """Return the power samples in the window; of a counter, its slopes."""
        first, last = bisect_left(self.t_s, window_s[0]), bisect_right(self.t_s, window_s[1])
        if self.is_counter:
            return [self._slope_w(i) for i in range(max(1, first), last)]
        return list(self.values[first:last])

    def _slope_w(self, i: int) -> float:
        return (self.values[i] - self.values[i - 1]) / (self.t_s[i] - self.t_s[i - 1])

    def _index(self, time_s: float) -> int:
        """Return the index of the read that ends the interval `time_s` lies in, or is nearest to."""
        return min(max(bisect_left(self.t_s, time_s), 1), len(self.t_s) - 1)

    def _interpolate(self, time_s: float) -> float:
        i = self._index(time_s)
        share = (time_s - self.t_s[i - 1]) / (self.t_s[i] - self.t_s[i - 1])
        return self.values[i - 1] * (1 - share) + self.values[i] * share

    def coverage_gap(self, window_s: tuple[float, float]) -> str | None:
        """Return why the reads do not cover the window; None if they do."""
        if len(self.t_s) < 2:
            return self.channel.source or "the sensor was read less than twice"
        allowed_s = MAX_GAP_PERIODS * self.read_period_s
        outside_s = max(self.t_s[0] - window_s[0], window_s[1] - self.t_s[-1])
        if outside_s > allowed_s + lag_s(self.channel):
            return f"the trace does not cover the window: {outside_s:.2f} s of it have no read"
        first, last = self._index(window_s[0]), self._index(window_s[1])
        # A counter goes on counting while nobody reads it: only the reads at the window's ends matter.
        indices = (first, last) if self.is_counter else range(first, last + 1)
        gap_s = max(self.t_s[i] - self.t_s[i - 1] for i in indices)
        if gap_s > allowed_s:
            where = "at the window's border" if self.is_counter else "in the window"
            return f"the sensor gave no value for {gap_s:.2f} s {where}"
        return None

    def border_error_j(self, time_s: float) -> float:
        """Return the error of the energy up to `time_s`, joules: half an update, and the power's change around it."""
        powers = self._powers_near_w(time_s)
        spread_w = max(powers) - min(powers)
        half_update_s = (self.update_period_s or 0.0) / 2
        i = self._index(time_s)
        interval_s = self.t_s[i] - self.t_s[i - 1]
        share = min(max((time_s - self.t_s[i - 1]) / interval_s, 0.0), 1.0)
        if self.is_counter:
            return half_update_s * max(powers) + share * (1 - share) * interval_s * spread_w
        return (half_update_s + (interval_s + self.channel.average_s) / 8) * spread_w

    def _powers_near_w(self, time_s: float) -> list[float]:
        i = self._index(time_s)
        reads = 2 + round(self.channel.average_s / self.read_period_s) if self.read_period_s else 2
        near = range(max(1, i - reads), min(len(self.t_s), i + reads + 1))
        return [self._slope_w(j) for j in near] if self.is_counter else [self.values[j] for j in near]

    def unobserved_error_j(self, window_s: tuple[float, float]) -> float:
        """Return the error from the time that the sensor does not observe, joules: 95 % of the mean of its samples.

        Samples that resemble their neighbours count for fewer: n (1 - r) / (1 + r), r their correlation (Bayley and
        Hammersley, "The effective number of independent observations in an autocorrelated time series", 1946).
        """
        unobserved = 1 - self.observed_share
        powers = self.powers_w(window_s)
        length_s = window_s[1] - window_s[0]
        if unobserved <= 0 or not powers:
            return 0.0
        if len(powers) < 4:
            return unobserved * length_s * (max(powers) - min(powers))
        mean_w = statistics.fmean(powers)
        variance = statistics.fmean((p - mean_w) ** 2 for p in powers)
        if variance == 0:
            return 0.0
        products = statistics.fmean((p - mean_w) * (q - mean_w) for p, q in pairwise(powers))
        correlation = min(max(products / variance, 0.0), 0.95)
        count = max(2.0, len(powers) * (1 - correlation) / (1 + correlation))
        quantile = 1.96 + 2.5 / count  # about Student's t at 97.5 % for `count` degrees of freedom
        return quantile * math.sqrt(unobserved * variance / count) * length_s

    def unevenness(self, window_s: tuple[float, float], step_s: float | None) -> float:
        """Return how unevenly the sensor observes a load whose steps take `step_s` (`suite.energy.aliasing`).

        0 for a sensor that observes all the time, or where nothing is known of steps.
        """
        period_s, share = self.sample_period_s, self.observed_share
        if not step_s or period_s <= 0 or not 0 < share < 1:
            return 0.0
        samples = min(max(1, round((window_s[1] - window_s[0]) / period_s)), MAX_SAMPLES)
        return worst_unevenness(step_s, period_s, share * period_s, samples)

    def aliasing_error_j(
        self, window_s: tuple[float, float], step_s: float | None, unevenness: float
    ) -> tuple[float, float]:
        """Return how far below and above the observed energy the true one may lie, joules, for uneven samples.

        This is `unevenness` times the difference between a step's highest and lowest power. Power that was never
        observed lies between nothing and the most that can be drawn. Samples longer than a step show averages, and
        nothing of that difference.
        """
        powers = self.powers_w(window_s)
        if not step_s or unevenness <= 0 or not powers:
            return 0.0, 0.0
        mean_w, spread_w = statistics.fmean(powers), max(powers) - min(powers)
        most_w = self.channel.limit_w or MAX_POWER_FACTOR * mean_w
        resolves_steps = self.observed_share * self.sample_period_s < step_s
        below_w = max(mean_w, spread_w) if resolves_steps else max(most_w, mean_w)
        uneven_s = unevenness * (window_s[1] - window_s[0])
        return uneven_s * below_w, uneven_s * max(most_w - mean_w, spread_w)


def lag_s(channel: Channel) -> float:
    """Return how long before its read a value stands for, on average, seconds."""
    return ((channel.average_s if channel.unit == "W" else 0.0) + (channel.tick_s or 0.0)) / 2


def observed_update_period_s(t_s: Sequence[float], values: Sequence[float]) -> float | None:
    """Return an upper bound of the update period: the median time between two reads at which the value changed."""
    changed = [t for t, (a, b) in zip(t_s[1:], pairwise(values), strict=True) if a != b]
    intervals = [b - a for a, b in pairwise(changed)]
    return statistics.median(intervals) if intervals else None
