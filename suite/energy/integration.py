"""One channel around one window: its values at the times they stand for, and the energy between two times. Pure.

A counter is interpolated linearly at the window's ends. Power samples are integrated by trapezoids, with the ends
interpolated too; power is held constant only outside the first and the last sample. A value stands for a time before it
was read: half of what it averages over, and since its update (`suite.energy.update_times`), or half of an update period
where reads do not show that. A publication lag that is known is taken off; in steady load it cancels.
"""

from __future__ import annotations

import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from joulemark.suite.energy.update_times import can_tell_updates, observed_update_period_s, update_times
from joulemark.suite.records import Channel, Trace

MAX_GAP_PERIODS = 5.0
"""A gap of more reads than this makes the energy unknown, if it lies where reads matter."""
LATE_UPDATES = 1.5
"""So does a gap of more update periods than this."""
MARGIN = 24
"""Reads kept on either side of the window."""
SLOW = 2.0
"""A counter that is updated more seldom than every so many reads has a value only where it changed: in between it is
linear, as power is not known to be anything else."""
SLOW_MARGIN = 2.5
"""Update periods that are kept on either side of the window for it."""
MAX_UPDATES = 100
"""Over so many updates, an error of 0.1 % in the update period shifts them by a tenth of a period."""
Window = tuple[float, float]
"""Begin and end, seconds since the run's start."""


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
    time_error_s: float
    """How far the times may be off because values were not read when they were updated, seconds."""

    @classmethod
    def around(cls, trace: Trace, channel: Channel, window_s: Window) -> Curve:
        """Return `channel` of `trace` around `window_s` (seconds since the run's start)."""
        margin_s = SLOW_MARGIN * (channel.tick_s or 0.0)
        first = max(0, bisect_left(trace.t_s, window_s[0] - margin_s) - MARGIN)
        last = bisect_right(trace.t_s, window_s[1] + lag_s(channel) + margin_s) + MARGIN
        times, values = trace.t_s[first:last], channel.values[first:last]
        pairs = [(t, v) for t, v in zip(times, values, strict=True) if v is not None]
        intervals = [b - a for a, b in pairwise(times)]
        read_s, known = [t for t, _ in pairs], [v for _, v in pairs]
        is_known = channel.tick_s is not None or channel.unit == "W"
        update_period_s = channel.tick_s if is_known else observed_update_period_s(times, values)
        t_s, error_s = [t - lag_s(channel) for t in read_s], (update_period_s or 0.0) / 2
        read_period_s = statistics.median(intervals) if intervals else 0.0
        if channel.unit == "J" and (update_period_s or 0.0) > SLOW * read_period_s > 0:
            t_s, known = _at_changes([t + (channel.tick_s or 0.0) / 2 - lag_s(channel) for t in read_s], known)
        elif channel.tick_s is not None and can_tell_updates(channel):
            t_s, known, error_s = _at_updates(read_s, known, channel, channel.tick_s, window_s)
        return cls(channel, t_s, known, read_period_s, update_period_s, error_s)

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

    @property
    def averages_overlap(self) -> bool:
        """Whether each value averages over several reads."""
        return self.channel.average_s > 2 * max(self.read_period_s, self.update_period_s or 0.0) > 0

    def energy_j(self, window_s: Window) -> float:
        """Return the joules in the window."""
        if self.is_counter:
            return self._interpolate(window_s[1]) - self._interpolate(window_s[0])
        if not self.averages_overlap:
            return self.trapezoid_j(window_s)
        blocks = round((window_s[1] - window_s[0]) / self.channel.average_s)
        if self.channel.publication_lag is not None:
            return self._blocks_j(window_s, blocks, self._steadiest_block(window_s, blocks))
        if not blocks:
            return self.trapezoid_j(window_s)
        return (self._blocks_j(window_s, blocks, 0) + self._blocks_j(window_s, blocks, -blocks)) / 2

    def _blocks_j(self, window_s: Window, blocks: int, rest: int) -> float:
        """Return the energy from averages over `average_s`, laid end to end.

        They are laid back from the window's end, and back from its beginning, where the energy is subtracted. Exact
        whatever the power does, but for the remainder that no whole average fits in: it begins `rest` averages before
        the window, or `-rest` after its beginning, and is integrated by trapezoids.
        """
        begin_s, end_s = window_s
        block_s = self.channel.average_s
        whole_j = self._laid_back_j(end_s, blocks + rest) - self._laid_back_j(begin_s, rest)
        return whole_j + self._signed_j(begin_s - rest * block_s, end_s - (blocks + rest) * block_s)

    def _laid_back_j(self, time_s: float, blocks: int) -> float:
        """Return the energy of so many averages before `time_s`; the negative of those after it for negative ones."""
        block_s = self.channel.average_s
        if blocks < 0:
            return -sum(self.power_w(time_s + (k + 0.5) * block_s) for k in range(-blocks)) * block_s
        return sum(self.power_w(time_s - (k + 0.5) * block_s) for k in range(blocks)) * block_s

    def _steadiest_block(self, window_s: Window, blocks: int) -> int:
        """Return where the remainder of `_blocks_j` meets the least change of power."""
        block_s = self.channel.average_s
        length_s = window_s[1] - window_s[0] - blocks * block_s

        def spread_w(rest: int) -> float:
            begin_s = window_s[0] - rest * block_s
            around = min(begin_s, begin_s + length_s) - block_s / 2, max(begin_s, begin_s + length_s) + block_s / 2
            powers = [self.power_w(around[0]), *self.powers_w(around), self.power_w(around[1])]
            return max(powers) - min(powers)

        return min(range(-blocks - 2, 3), key=spread_w)

    def _signed_j(self, begin_s: float, end_s: float) -> float:
        """Return the integral from one time to the other; negative if the second is the earlier."""
        if begin_s == end_s:
            return 0.0
        return self.trapezoid_j((begin_s, end_s)) if begin_s < end_s else -self.trapezoid_j((end_s, begin_s))

    def trapezoid_j(self, window_s: Window) -> float:
        """Return the integral of the power samples over the window, joules."""
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

    def powers_w(self, window_s: Window) -> list[float]:
        """Return the power samples in the window; of a counter, its slopes."""
        first, last = bisect_left(self.t_s, window_s[0]), bisect_right(self.t_s, window_s[1])
        if self.is_counter:
            return [self.slope(i) for i in range(max(1, first), last)]
        return list(self.values[first:last])

    def slope(self, i: int) -> float:
        """Return the slope between values `i - 1` and `i`; of a counter, the mean power in watts."""
        return (self.values[i] - self.values[i - 1]) / (self.t_s[i] - self.t_s[i - 1])

    def index(self, time_s: float) -> int:
        """Return the index of the value that ends the interval `time_s` lies in, or is nearest to."""
        return min(max(bisect_left(self.t_s, time_s), 1), len(self.t_s) - 1)

    def _interpolate(self, time_s: float) -> float:
        """Return the value at `time_s`: linear between two values.

        Where times are exact, joules and averages may also bend between two values, from the slope before to the slope
        after: power stepped there (Harten, "ENO schemes with subcell resolution", 1989).
        """
        i = self.index(time_s)
        if self.channel.publication_lag is not None and 2 <= i < len(self.t_s) - 1:
            before, slope, after = (self.slope(j) for j in (i - 1, i, i + 1))
            if (slope - before) * (after - slope) > 0 and (self.is_counter or self.averages_overlap):
                from_begin = self.values[i - 1] + before * (time_s - self.t_s[i - 1])
                from_end = self.values[i] - after * (self.t_s[i] - time_s)
                return max(from_begin, from_end) if after > before else min(from_begin, from_end)
        share = (time_s - self.t_s[i - 1]) / (self.t_s[i] - self.t_s[i - 1])
        return self.values[i - 1] * (1 - share) + self.values[i] * share

    def coverage_gap(self, window_s: Window) -> str | None:
        """Return why the reads do not cover the window; None if they do."""
        if len(self.t_s) < 2:
            shown = any(value is not None for value in self.channel.values)
            too_few = "the sensor has fewer than two values around the window"
            return too_few if shown else self.channel.source or too_few
        if self.is_counter and self.update_period_s is None and self.values[-1] > self.values[0]:
            seconds = self.t_s[-1] - self.t_s[0]
            return f"below resolution: the counter moved once in {seconds:.2g} s, so its update period is not known"
        late_s = LATE_UPDATES * (self.update_period_s or 0.0)
        allowed_s = max(MAX_GAP_PERIODS * self.read_period_s, late_s)
        outside_s = max(self.t_s[0] - window_s[0], window_s[1] - self.t_s[-1])
        apart_s = max(self.t_s[0] - window_s[1], window_s[0] - self.t_s[-1])  # a short window may lie beside all reads
        lag = lag_s(self.channel)
        if outside_s > allowed_s + lag or apart_s > max(self.read_period_s, late_s) + lag:
            return f"the trace does not cover the window: {outside_s:.2f} s of it have no read"
        first, last = self.index(window_s[0]), self.index(window_s[1])
        # A counter goes on counting while nobody reads it: only the reads at the window's ends matter.
        indices = (first, last) if self.is_counter else range(first, last + 1)
        gap_s = max(self.t_s[i] - self.t_s[i - 1] for i in indices)
        if gap_s > allowed_s:
            where = "at the window's border" if self.is_counter else "in the window"
            return f"the sensor gave no value for {gap_s:.2f} s {where}"
        return None


def _at_updates(
    read_s: Sequence[float], values: Sequence[float], channel: Channel, period_s: float, window_s: Window
) -> tuple[list[float], list[float], float]:
    """Return the times that values stand for, the values at these times, and the error of the times.

    In a window of many updates, the error of the update period adds up: each end then has a phase of its own.
    """
    delay_s = lag_s(channel) - period_s / 2
    ends = [time_s + delay_s for time_s in window_s]
    groups = [ends] if ends[1] - ends[0] < MAX_UPDATES * period_s else [[time_s] for time_s in ends]
    phases = [update_times(read_s, values, period_s, group, is_counter=channel.unit == "J") for group in groups]
    half = bisect_left(read_s, sum(ends) / 2)
    t_s: list[float] = []
    known: list[float] = []
    for time_s, value in zip([*phases[0][0][:half], *phases[-1][0][half:]], values, strict=True):
        if t_s and time_s - delay_s - t_s[-1] < period_s / 4:
            known[-1] = value  # two reads of one update
        else:
            t_s.append(time_s - delay_s)
            known.append(value)
    return t_s, known, max(error_s for _, error_s in phases)


def _at_changes(read_s: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return when the value was updated, in the middle of the two reads that it changed between, and the new values."""
    changes = [i for i in range(1, len(values)) if values[i] != values[i - 1]]
    return [(read_s[i - 1] + read_s[i]) / 2 for i in changes], [values[i] for i in changes]


def lag_s(channel: Channel) -> float:
    """Return how long before its read a value stands for, on average, seconds."""
    published_s = channel.publication_lag.lag_s if channel.publication_lag is not None else 0.0
    return published_s + ((channel.average_s if channel.unit == "W" else 0.0) + (channel.tick_s or 0.0)) / 2
