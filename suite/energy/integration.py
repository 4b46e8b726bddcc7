"""One channel around one window: its values, the energy between two times, and what that may be off by. Pure.

A counter is interpolated linearly at the window's borders. Sampled power is integrated by trapezoids, borders
interpolated too; power is held only outside the first and the last sample. A value stands for a time before it was
read: half of what it averages over, and half of the time between two updates.
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

LONGEST_GAP_PERIODS = 5.0
"""A hole of more reads than this, where it matters, makes the energy unknown."""
MARGIN = 24
"""Reads kept on either side of the window."""
MOST_LOOKS = 1000
"""Looks that are folded by a step, at most. Over more, both neighbours of a cycle that keeps pace would drift through
the step, and that cycle between them would be missed; and folding a day's looks takes half a minute a reading."""
MOST_OVER_SEEN = 5.0
"""Where no power limit is known: what a board draws at most over what it draws while it waits for work, about."""


@dataclass(frozen=True)
class Curve:
    """The values of `channel` that could be read around a window, at the times they stand for."""

    channel: Channel
    t_s: Sequence[float]
    values: Sequence[float]
    period_s: float
    """Median time between two reads, seconds."""
    tick_s: float | None
    """Time between two updates of the value, seconds: the channel's, else for a counter as seen; None if unknown."""

    @property
    def is_counter(self) -> bool:
        return self.channel.unit == "J"

    def energy_j(self, window_s: tuple[float, float]) -> float:
        """Joules in the window."""
        if self.is_counter:
            return self._at(window_s[1]) - self._at(window_s[0])
        whole = round((window_s[1] - window_s[0]) / self.channel.average_s) if self._is_averaged else 0
        return self._blocks_j(window_s, whole) if whole else self._trapezoid_j(window_s)

    @property
    def _is_averaged(self) -> bool:
        """Whether each value averages over several reads, so that neighbours overlap."""
        return self.channel.average_s > 2 * max(self.period_s, self.tick_s or 0.0) > 0

    def _blocks_j(self, window_s: tuple[float, float], whole: int) -> float:
        """Energy from averages over `average_s`, laid end to end: exact, whatever the power does, but for the rest of
        the window that no whole average fills. Laid from the window's end and from its beginning; the mean of both."""
        block_s = self.channel.average_s
        begin_s, end_s = window_s
        from_end_j = sum(self.power_w(end_s - (k + 0.5) * block_s) for k in range(whole)) * block_s
        from_begin_j = sum(self.power_w(begin_s + (k + 0.5) * block_s) for k in range(whole)) * block_s
        before_j = self._rest_j(begin_s, end_s - whole * block_s)
        after_j = self._rest_j(begin_s + whole * block_s, end_s)
        return (from_end_j + before_j + from_begin_j + after_j) / 2

    def _rest_j(self, begin_s: float, end_s: float) -> float:
        """The integral from one time to the other; negative where the second is the earlier."""
        if begin_s == end_s:
            return 0.0
        return self._trapezoid_j((begin_s, end_s)) if begin_s < end_s else -self._trapezoid_j((end_s, begin_s))

    def _trapezoid_j(self, window_s: tuple[float, float]) -> float:
        inside = range(bisect_right(self.t_s, window_s[0]), bisect_left(self.t_s, window_s[1]))
        times = [window_s[0], *(self.t_s[i] for i in inside), window_s[1]]
        powers = [self.power_w(window_s[0]), *(self.values[i] for i in inside), self.power_w(window_s[1])]
        return sum((b - a) * (p + q) / 2 for (a, b), (p, q) in zip(pairwise(times), pairwise(powers), strict=True))

    def power_w(self, time_s: float) -> float:
        """Sampled power at `time_s`: linear between samples, held outside the first and last."""
        if time_s <= self.t_s[0]:
            return self.values[0]
        if time_s >= self.t_s[-1]:
            return self.values[-1]
        return self._at(time_s)

    def _before(self, time_s: float) -> int:
        """Index of the end of the interval between reads that `time_s` lies in, or is nearest to."""
        return min(max(bisect_left(self.t_s, time_s), 1), len(self.t_s) - 1)

    def _at(self, time_s: float) -> float:
        i = self._before(time_s)
        share = (time_s - self.t_s[i - 1]) / (self.t_s[i] - self.t_s[i - 1])
        return self.values[i - 1] * (1 - share) + self.values[i] * share

    def coverage_gap(self, window_s: tuple[float, float]) -> str | None:
        """Why the reads say nothing of the window; None where they do."""
        if len(self.t_s) < 2:
            return self.channel.source or "the sensor was read less than twice"
        allowed_s = LONGEST_GAP_PERIODS * self.period_s
        outside_s = max(self.t_s[0] - window_s[0], window_s[1] - self.t_s[-1])
        if outside_s > allowed_s + self._lag_s:
            return f"the trace does not cover the window: {outside_s:.2f} s of it have no read"
        first, last = self._before(window_s[0]), self._before(window_s[1])
        # A counter goes on counting while nobody reads it: only the reads at its borders matter.
        indices = (first, last) if self.is_counter else range(first, last + 1)
        gap_s = max(self.t_s[i] - self.t_s[i - 1] for i in indices)
        if gap_s > allowed_s:
            where = "at the window's border" if self.is_counter else "in the window"
            return f"the sensor gave no value for {gap_s:.2f} s {where}"
        return None

    @property
    def _lag_s(self) -> float:
        return lag_s(self.channel)

    @property
    def cycle_s(self) -> float:
        """Time between two looks of the sensor that enter the values, seconds; 0 where unknown."""
        return max(self.tick_s or 0.0, 0.0 if self.is_counter else self.period_s)

    @property
    def seen_share(self) -> float:
        """The share of the time that enters the values."""
        if self.is_counter:
            return self.channel.coverage
        seen_s = max(self.channel.average_s, self.channel.coverage * (self.tick_s or 0.0))
        return min(1.0, seen_s / self.cycle_s) if self.period_s else 0.0

    def powers_w(self, window_s: tuple[float, float]) -> list[float]:
        """The power samples in the window; of a counter, its slopes."""
        first, last = bisect_left(self.t_s, window_s[0]), bisect_right(self.t_s, window_s[1])
        return (
            [self._slope_w(i) for i in range(max(1, first), last)] if self.is_counter else list(self.values[first:last])
        )

    def _slope_w(self, i: int) -> float:
        return (self.values[i] - self.values[i - 1]) / (self.t_s[i] - self.t_s[i - 1])

    def _near_w(self, time_s: float) -> list[float]:
        """Power in the reads around `time_s`."""
        i = self._before(time_s)
        reach = 2 + round(self.channel.average_s / self.period_s) if self.period_s else 2
        near = range(max(1, i - reach), min(len(self.t_s), i + reach + 1))
        return [self._slope_w(j) for j in near] if self.is_counter else [self.values[j] for j in near]

    def border_error_j(self, time_s: float) -> float:
        """What the energy up to `time_s` may be off by: half an update, and the power's change around that time."""
        near = self._near_w(time_s)
        spread_w = max(near) - min(near)
        i = self._before(time_s)
        step_s = self.t_s[i] - self.t_s[i - 1]
        share = min(max((time_s - self.t_s[i - 1]) / step_s, 0.0), 1.0)
        if self.is_counter:
            return (self.tick_s or 0.0) / 2 * max(near) + share * (1 - share) * step_s * spread_w
        return ((self.tick_s or 0.0) / 2 + (step_s + self.channel.average_s) / 8) * spread_w

    def unseen_error_j(self, window_s: tuple[float, float]) -> float:
        """What the time that the sensor does not look at may add: the 95 % error of the mean of its samples.

        Samples that resemble their neighbours count for fewer: n (1 - r) / (1 + r), r their correlation (Bayley and
        Hammersley, "The effective number of independent observations in an autocorrelated time series", 1946).
        """
        unseen = 1 - self.seen_share
        powers = self.powers_w(window_s)
        length_s = window_s[1] - window_s[0]
        if unseen <= 0 or not powers:
            return 0.0
        if len(powers) < 4:
            return unseen * length_s * (max(powers) - min(powers))
        mean_w = statistics.fmean(powers)
        variance = statistics.fmean((p - mean_w) ** 2 for p in powers)
        if variance == 0:
            return 0.0
        products = statistics.fmean((p - mean_w) * (q - mean_w) for p, q in pairwise(powers))
        likeness = min(max(products / variance, 0.0), 0.95)
        count = max(2.0, len(powers) * (1 - likeness) / (1 + likeness))
        quantile = 1.96 + 2.5 / count  # about Student's t at 97.5 % for `count` degrees of freedom
        return quantile * math.sqrt(unseen * variance / count) * length_s

    def unevenness(self, window_s: tuple[float, float], step_s: float | None) -> float:
        """How unevenly the sensor observes a load whose steps take `step_s` (`suite.energy.aliasing`).

        0 for a sensor that observes all the time, or where nothing is known of steps.
        """
        cycle_s, seen = self.cycle_s, self.seen_share
        if not step_s or cycle_s <= 0 or not 0 < seen < 1:
            return 0.0
        looks = min(max(1, round((window_s[1] - window_s[0]) / cycle_s)), MOST_LOOKS)
        return worst_unevenness(step_s, cycle_s, seen * cycle_s, looks)

    def uneven_error_j(self, window_s: tuple[float, float], step_s: float | None, uneven: float) -> tuple[float, float]:
        """How far below and above what was seen the energy may lie, joules, for looks that are `uneven`.

        It is `uneven` times the difference between a step's highest and lowest power. Of what was never seen nothing is
        known: it lies between nothing and the most that can be drawn. Looks longer than a step show averages, and
        nothing of that difference.
        """
        seen_w = self.powers_w(window_s)
        if not step_s or uneven <= 0 or not seen_w:
            return 0.0, 0.0
        mean_w, swing_w = statistics.fmean(seen_w), max(seen_w) - min(seen_w)
        most_w = self.channel.limit_w or MOST_OVER_SEEN * mean_w
        known_w = max(mean_w, swing_w) if self.seen_share * self.cycle_s < step_s else max(most_w, mean_w)
        reach_s = uneven * (window_s[1] - window_s[0])
        return reach_s * known_w, reach_s * max(most_w - mean_w, swing_w)


def lag_s(channel: Channel) -> float:
    """How long before its read a value stands for, on average, seconds."""
    return ((channel.average_s if channel.unit == "W" else 0.0) + (channel.tick_s or 0.0)) / 2


def curve(trace: Trace, channel: Channel, window_s: tuple[float, float]) -> Curve:
    """`channel` of `trace` around `window_s` (seconds since the run's start)."""
    lag = lag_s(channel)
    first = max(0, bisect_left(trace.t_s, window_s[0]) - MARGIN)
    last = bisect_right(trace.t_s, window_s[1] + lag) + MARGIN
    times, values = trace.t_s[first:last], channel.values[first:last]
    pairs = [(t - lag, v) for t, v in zip(times, values, strict=True) if v is not None]
    steps = [b - a for a, b in pairwise(times)]
    t_s, found = [t for t, _ in pairs], [v for _, v in pairs]
    tick_s = channel.tick_s if channel.tick_s is not None or channel.unit == "W" else seen_tick_s(t_s, found)
    return Curve(channel, t_s, found, statistics.median(steps) if steps else 0.0, tick_s)


def seen_tick_s(t_s: Sequence[float], values: Sequence[float]) -> float | None:
    """An upper bound of an unknown tick: the median time between two reads at which the value had moved."""
    moved = [t for t, (a, b) in zip(t_s[1:], pairwise(values), strict=True) if a != b]
    steps = [b - a for a, b in pairwise(moved)]
    return statistics.median(steps) if steps else None
