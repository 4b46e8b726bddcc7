"""When the values of a sensor were updated, from when they were read. Pure.

A sensor updates its value once in each update period, and a read returns the last update: at the time of the read, a
value is up to a period old. How old follows from the phase of the updates. It must explain between which reads the
value changed and, where power is steady, how many updates of a counter lie between two reads.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from joulemark.suite.energy.components import LIVE_SCOPES
from joulemark.suite.records import Channel

READS = 12
"""Reads on either side that a phase is found from: few, so that the error of the update period does not shift it, and
enough that reads which do not keep step with the updates meet many phases."""
NEIGHBOURS = 3
"""Reads on either side of an interval that its power is taken from."""
STEADINESS = 0.5
"""Power whose change makes a larger difference than so many updates does not tell how many an interval holds."""
STRAIGHTNESS = 1.5
"""Nor does power around an interval if the counter strays from a straight line by more than so many updates: where
loads last for a few reads, there may be as much load before an interval as after it. Steady power strays by up to one.
"""
PHASES = 50
"""Phases tried."""
MISFIT = 0.75
"""Phases that explain the reads worse than the best by less than this, update periods, are as good. A read that is
taken for one update too early changes two intervals by one."""
RESOLVED = 1.5
"""A counter that moves less often than every so many reads shows its update period; another may move between them."""
MISSING = 3.0
"""Between two reads that are farther apart than so many others, some are missing: the value may have changed unseen."""
FEWEST_PERIODS = 4
"""Periods in a trace that count more than what was known of the sensor before."""
KNOWN = 0.5
"""If more than this share of all phases is as good as the best, the phase is not known."""
SHORTEST_PERIOD_S = 0.01
"""With a shorter update period, the times of updates, and a lag, matter to no window."""
LONGEST_PERIOD_S = 0.5
"""With a longer one, a lag is less than what the times of updates are known to."""
READ_ERROR_S = 0.003
"""A value is of some moment within its read, which takes up to 7 ms."""
Interval = tuple[float, float, float | None, bool]
"""Between two reads: their times, seconds; the updates between them, or None if not known; whether the value changed.
"""


def update_times(
    t_s: Sequence[float], values: Sequence[float], period_s: float, at_s: Sequence[float], is_counter: bool
) -> tuple[list[float], float]:
    """Return when each read's value was updated, and the error of that, by the phase of the updates around `at_s`.

    Where the phase cannot be told, as from reads that keep step with the updates, values are taken to be half a period
    old.

    Args:
        t_s: Times of the reads, seconds, increasing.
        values: What was read, joules or watts.
        period_s: Update period, seconds.
        at_s: Times around which the phase is wanted, seconds. From one to the other, the phase must not drift.
        is_counter: Whether the values are joules.

    Returns:
        A time for each read, and how far all of them may be off together, seconds.
    """
    middles = [bisect_left(t_s, time_s) for time_s in at_s]
    near = {i for middle in middles for i in range(max(1, middle - READS), min(len(t_s), middle + READS))}
    intervals = [_interval(t_s, values, i, period_s, is_counter) for i in sorted(near)]
    phase_s, error_s = _phase(intervals, period_s)
    if error_s > KNOWN * period_s / 2:
        return [t - period_s / 2 for t in t_s], period_s / 2
    times_s = [phase_s + math.floor((t - phase_s) / period_s) * period_s for t in t_s]
    return times_s, error_s + READ_ERROR_S


def can_lag(channel: Channel) -> bool:
    """Return whether a lag of `channel` matters: a sensor with known update periods, neither very short nor long."""
    return channel.kind != "model" and SHORTEST_PERIOD_S <= (channel.tick_s or 0.0) <= LONGEST_PERIOD_S


def can_tell_updates(channel: Channel) -> bool:
    """Return whether reads of `channel` show when it was updated.

    Power that does not change shows nothing, and may do so for some updates amid changes. It is looked at only where
    its publication lag is known: that was found in changes.
    """
    return channel.publication_lag is not None or (channel.unit == "J" and can_lag(channel))


def longest_hold_s(t_s: Sequence[float], values: Sequence[float]) -> float:
    """Return the longest time for which reads showed the same value, seconds."""
    longest_s, since_s = 0.0, t_s[0] if t_s else 0.0
    for (_, before), (time_s, value) in pairwise(zip(t_s, values, strict=True)):
        since_s = time_s if value != before else since_s
        longest_s = max(longest_s, time_s - since_s)
    return longest_s


def periods_s(t_s: Sequence[float], values: Sequence[float | None]) -> list[float]:
    """Return the times between two reads at which the value had changed, seconds.

    None of them spans missing reads, which have the value None or are not there: it may have changed unseen.
    """
    reads = [(t, value) for t, value in zip(t_s, values, strict=True) if value is not None]
    if len(reads) < 2:
        return []
    longest_s = MISSING * statistics.median(b - a for a, b in pairwise(t_s))
    between_s = [b - a for (a, _), (b, _) in pairwise(reads)]
    changed = [i for i, ((_, a), (_, b)) in enumerate(pairwise(reads), 1) if a != b]
    return [reads[j][0] - reads[i][0] for i, j in pairwise(changed) if max(between_s[i:j]) <= longest_s]


def observed_update_period_s(t_s: Sequence[float], values: Sequence[float | None]) -> float | None:
    """Return an upper bound of the update period: the median time between two reads at which the value changed."""
    periods = periods_s(t_s, values)
    return statistics.median(periods) if periods else None


def with_observed_period(channel: Channel, t_s: Sequence[float]) -> Channel:
    """Return a counter with the update period that its values show, where reads are often enough to show it.

    One that was measured before is replaced only if the counter moves more seldom: it was that of another time. So is
    that of a live sensor of the whole node: its power is no younger than the time between two reads.
    """
    if channel.unit != "J" and channel.scope not in LIVE_SCOPES:
        return channel
    times = [t for t, value in zip(t_s, channel.values, strict=True) if value is not None]
    periods = periods_s(t_s, channel.values)
    if channel.unit != "J":
        return _with_live_period(channel, times, periods) if len(times) > 1 else channel
    if not periods or (channel.tick_s is not None and len(periods) < FEWEST_PERIODS):
        return channel
    observed_s = statistics.median(periods)
    known_s = max(channel.tick_s or 0.0, statistics.median(b - a for a, b in pairwise(times)))
    return channel.model_copy(update={"tick_s": observed_s}) if observed_s > RESOLVED * known_s else channel


def _with_live_period(channel: Channel, times: Sequence[float], periods: Sequence[float]) -> Channel:
    """Return the power of a live sensor with an update period: no less than the time between two reads.

    Where power is steady it may be updated without a change, hence the shorter of the `periods`.
    """
    read_s = statistics.median(b - a for a, b in pairwise(times))
    observed_s = statistics.quantiles(periods, n=4)[0] if len(periods) >= FEWEST_PERIODS else 0.0
    return channel.model_copy(update={"tick_s": max(read_s, observed_s)})


def _interval(t_s: Sequence[float], values: Sequence[float], i: int, period_s: float, is_counter: bool) -> Interval:
    changed = values[i] != values[i - 1]
    updates = None
    if is_counter:
        updates = _updates(t_s, values, i, period_s) if changed else 0.0
    elif 1 < i < len(values) - 1 and values[i - 2] != values[i - 1] == values[i] != values[i + 1]:
        updates = 0.0  # constant power may be updated without a change, but not amid changes
    return t_s[i - 1], t_s[i], updates, changed


def _updates(t_s: Sequence[float], values: Sequence[float], i: int, period_s: float) -> float | None:
    """Return the updates of a counter from read `i - 1` to read `i` by the power around; None if that is not steady."""
    first, last = max(0, i - 1 - NEIGHBOURS), min(len(t_s) - 1, i + NEIGHBOURS)
    if first == i - 1 or last == i:
        return None
    before_w = (values[i - 1] - values[first]) / (t_s[i - 1] - t_s[first])
    after_w = (values[last] - values[i]) / (t_s[last] - t_s[i])
    power_w = (values[last] - values[first]) / (t_s[last] - t_s[first])
    stray_j = max(abs(values[j] - values[first] - power_w * (t_s[j] - t_s[first])) for j in range(first, last))
    if abs(after_w - before_w) * (t_s[i] - t_s[i - 1]) > STEADINESS * power_w * period_s:
        return None
    if stray_j > STRAIGHTNESS * power_w * period_s:
        return None
    return (values[i] - values[i - 1]) / power_w / period_s


def _phase(intervals: Sequence[Interval], period_s: float) -> tuple[float, float]:
    """Return the middle of the phases that explain `intervals`, and half the width of their range, seconds."""
    misfits = [_misfit(intervals, k / PHASES * period_s, period_s) for k in range(PHASES)]
    good = [k for k, misfit in enumerate(misfits) if misfit <= min(misfits) + MISFIT]
    # Phases lie on a circle: the shortest arc with all good ones begins after the longest gap between two of them.
    gap, begin = max((after - before, after) for before, after in pairwise([*good, good[0] + PHASES]))
    width = PHASES - gap
    return (begin + width / 2) / PHASES * period_s, (width + 1) / 2 / PHASES * period_s


def _misfit(intervals: Sequence[Interval], phase_s: float, period_s: float) -> float:
    """Return how far updates at `phase_s` are from explaining the intervals, update periods."""
    misfit = 0.0
    for begin_s, end_s, expected, changed in intervals:
        updates = math.floor((end_s - phase_s) / period_s) - math.floor((begin_s - phase_s) / period_s)
        if expected is not None:
            misfit += abs(expected - updates)
        elif changed and not updates:
            misfit += 1.0
    return misfit
