"""The energy of one channel of a sensor, added up as its values arrive. Pure.

The total only rises. A value is judged as in a finished trace (`suite.energy.plausibility`), with the reads before it:
wraps and restarts are undone, and a value that the hardware cannot have shown adds nothing.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise

from joulemark.suite.energy.integration import LATE_UPDATES, MAX_GAP_PERIODS
from joulemark.suite.energy.plausibility import LOOK_BACK, most_w, plausible
from joulemark.suite.records import Channel

KEPT_READS = 4 * LOOK_BACK
"""Reads that a new one is judged with."""
SILENT_S = 3.0
"""After so many seconds without a value, there is no present power."""

Point = tuple[float, float]
"""A time, seconds, and the total then, joules."""


class ChannelEnergy:
    """The total of one channel since its first value."""

    def __init__(self, channel: Channel, wrap_j: float | None, span_s: float) -> None:
        """Begin at 0.

        Args:
            channel: The channel, without values.
            wrap_j: Joules at which its counter starts again from 0; None if it never does.
            span_s: What `power_w` is the mean over, seconds.
        """
        self.channel, self.wrap_j, self.span_s = channel, wrap_j, span_s
        self.energy_j = 0.0
        """Joules so far. Never falls."""
        self.unmeasured_s = 0.0
        """Seconds whose energy the total lacks, all or in part: a power was not read, or a counter was not read for so
        long that it may have wrapped more than once."""
        self.begin_s: float | None = None
        """When its sensor was read at the start; what the channel draws from then to its first value is unmeasured."""
        self._t_s: list[float] = []
        self._raw: list[float] = []
        self._totals: list[float | None] = []
        """The total at each of these reads; None where the value is left out."""
        self._earlier: deque[Point] = deque()
        """The totals before them, over `span_s`."""

    def add(self, reads: Iterable[tuple[float, float | None]]) -> None:
        """Add reads: the time in seconds, increasing, and what the sensor showed; None for a missed read."""
        count = len(self._t_s)
        is_first = not count
        for time_s, value in reads:
            if value is not None and (not self._t_s or time_s > self._t_s[-1]):
                self._t_s.append(time_s)
                self._raw.append(value)
        if len(self._t_s) > count:
            if is_first and self.begin_s is not None:
                self.unmeasured_s += self._t_s[0] - self.begin_s
            kept = plausible(self.channel, self._t_s, self._raw, self.wrap_j).values
            add_up = self._count if self.channel.unit == "J" else self._integrate
            add_up(kept, new=range(count, len(kept)))
            self.energy_j = max([self.energy_j, *(total_j for total_j in self._totals if total_j is not None)])
            self._forget()

    def silent_s(self, now_s: float) -> float | None:
        """Return for how long there has been no value, if that is too long for a present one; else None."""
        points = self._points()
        silence_s = now_s - points[-1][0] if points else float("inf")
        return silence_s if silence_s > max(SILENT_S, self._allowed_gap_s()) else None

    def power_w(self) -> float | None:
        """Return the mean power over the last `span_s`, watts; None until there are two values."""
        points = [*self._earlier, *self._points()]
        if len(points) < 2:
            return None
        end_s, end_j = points[-1]
        begin_s, begin_j = next((p for p in reversed(points[:-1]) if p[0] <= end_s - self.span_s), points[0])
        return max(0.0, end_j - begin_j) / (end_s - begin_s)

    def _count(self, kept: Sequence[float | None], new: range) -> None:
        """Take the totals of a counter from `kept`, whose joules have an origin of their own.

        They are tied to the first read that counted before and still does, since it is the most certain. Later ones are
        corrected, once what follows shows that they were wrong.
        """
        pairs = zip(self._totals, kept, strict=False)
        origin_j = next((t - k for t, k in pairs if t is not None and k is not None), self.energy_j)
        counted = [i for i, total_j in enumerate(self._totals) if total_j is not None]
        times = [self._t_s[i] for i in (*counted[-1:], *(i for i in new if kept[i] is not None))]
        self._totals = [None if value is None else origin_j + value for value in kept]
        if self.wrap_j is not None:
            most = most_w(self.channel)
            self.unmeasured_s += sum(b - a for a, b in pairwise(times) if (b - a) * most >= self.wrap_j)

    def _integrate(self, kept: Sequence[float | None], new: range) -> None:
        """Add trapezoids from each new value to the one before it."""
        total_j, allowed_s = self.energy_j, self._allowed_gap_s()
        last = max((i for i in range(new.start) if kept[i] is not None), default=None)
        for i in new:
            value, before = kept[i], None if last is None else kept[last]
            if value is not None and last is not None and before is not None:
                length_s = self._t_s[i] - self._t_s[last]
                if length_s <= allowed_s:
                    total_j += (before + value) / 2 * length_s
                else:
                    self.unmeasured_s += length_s
                    self._earlier.clear()
                    self._totals = [None] * len(self._totals)  # a mean must not span the gap
            self._totals.append(None if value is None else total_j)
            last = last if value is None else i

    def _allowed_gap_s(self) -> float:
        """Return the longest time between two reads of power that is still steady, seconds."""
        periods_s = [b - a for a, b in pairwise(self._t_s)]
        period_s = statistics.median(periods_s) if periods_s else 0.0
        return max(MAX_GAP_PERIODS * period_s, LATE_UPDATES * (self.channel.tick_s or 0.0))

    def _points(self) -> list[Point]:
        return [(t, total_j) for t, total_j in zip(self._t_s, self._totals, strict=True) if total_j is not None]

    def _forget(self) -> None:
        """Drop the reads that new ones are not judged with, but for the last that counts; and earlier totals."""
        surplus = max(0, len(self._t_s) - KEPT_READS)
        last = max((i for i, total_j in enumerate(self._totals) if total_j is not None), default=surplus)
        dropped = {*range(surplus)} - {last}
        self._earlier += [(self._t_s[i], total_j) for i in sorted(dropped) if (total_j := self._totals[i]) is not None]
        self._t_s = [value for i, value in enumerate(self._t_s) if i not in dropped]
        self._raw = [value for i, value in enumerate(self._raw) if i not in dropped]
        self._totals = [value for i, value in enumerate(self._totals) if i not in dropped]
        while len(self._earlier) > 1 and self._earlier[1][0] <= self._t_s[-1] - self.span_s:
            self._earlier.popleft()
