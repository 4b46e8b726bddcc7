"""How late a sensor publishes its values, from steps of the load whose times are known. Pure.

A trial and a synchronised meter know when the device had finished their last step: power falls at that moment, and the
trace follows. The energy from well before the fall to well after it tells when power fell in the trace, wherever the
updates lie.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from joulemark.suite.energy.integration import Curve
from joulemark.suite.energy.update_times import can_lag
from joulemark.suite.records import Channel, PublicationLag, Trace

MAX_LAG_S = 0.25
"""Lags up to this are found."""
SLOPE_S = 0.2
"""Power on either side of a fall is taken over this time or the next longer one between updates."""
STEEPNESS = 0.25
"""A fall by a smaller share of the power says too little."""
STEADINESS = 0.25
"""Power must be steady on either side of a fall, to within this share of the fall."""
MAX_FALLS = 100
"""More do not make the lag better known."""
FEWEST_FALLS = 3
"""From fewer, the error of the lag is taken to be half an update period."""
MAX_SPREAD_S = 0.05
"""Falls that disagree by more do not show a lag."""
UNPUBLISHED = PublicationLag(lag_s=0.0, error_s=0.0, steps=1, method="none")
"""For a curve at the times at which values can first be read."""


def with_publication_lags(traces: Iterable[Trace], falls_s: Sequence[float], method: str) -> tuple[Trace, ...]:
    """Return `traces` with the publication lag of each channel that shows falls of the load; a known lag stays.

    Args:
        traces: The traces of a run.
        falls_s: When a load ended, seconds since the run's start. A channel may show any of them, or none.
        method: What these times are, in words.
    """

    def with_lag(trace: Trace, channel: Channel) -> Channel:
        lag = channel.publication_lag or publication_lag(trace, channel, falls_s, method)
        return channel.model_copy(update={"publication_lag": lag})

    return tuple(
        trace.model_copy(update={"channels": tuple(with_lag(trace, channel) for channel in trace.channels)})
        for trace in traces
    )


def publication_lag(trace: Trace, channel: Channel, falls_s: Sequence[float], method: str) -> PublicationLag | None:
    """Return the publication lag of `channel`, the median over falls; None where they do not show it."""
    falls_s = falls_s[:: 1 + len(falls_s) // MAX_FALLS] if can_lag(channel) else ()
    shown = [delay for fall_s in falls_s if (delay := _delay(trace, channel, fall_s)) is not None]
    if not shown or channel.tick_s is None:
        return None
    delays_s, time_errors_s = sorted(delay_s for delay_s, _ in shown), [error_s for _, error_s in shown]
    lag_s, n = statistics.median(delays_s), len(delays_s)
    # The median's 95 % interval in order statistics, the whole range of up to 8 (Conover, "Practical nonparametric
    # statistics", 3.2).
    outside = max(1, sum(_share_below(n, k) <= 0.025 for k in range(n // 2))) - 1
    spread_s = max(lag_s - delays_s[outside], delays_s[-1 - outside] - lag_s)
    if spread_s > MAX_SPREAD_S:
        return None
    error_s = channel.tick_s / 2 if n < FEWEST_FALLS else spread_s + statistics.median(time_errors_s)
    return PublicationLag(lag_s=lag_s, error_s=error_s, steps=n, method=method)


def _share_below(n: int, k: int) -> float:
    """Return the probability that at most `k` of `n` values lie below the true median."""
    return float(sum(math.comb(n, j) for j in range(k + 1)) / 2**n)


def _delay(trace: Trace, channel: Channel, fall_s: float) -> tuple[float, float] | None:
    """Return how long after `fall_s` power fell in the trace, and the error of the trace's times, seconds.

    None where no clear fall is there.
    """
    half_average_s = channel.average_s / 2 if channel.unit == "W" else 0.0
    fallen_s = fall_s + MAX_LAG_S + half_average_s
    channel = channel.model_copy(update={"publication_lag": UNPUBLISHED})
    curve = Curve.around(trace, channel, (fall_s - half_average_s, fallen_s))
    t_s = curve.t_s
    end = bisect_right(t_s, fall_s - half_average_s) - 1
    begin = bisect_left(t_s, fallen_s)
    # Two stretches on either side: earlier and before, after and later.
    before = _last_before(t_s, end)
    earlier = _last_before(t_s, before)
    after = _first_after(t_s, begin)
    later = _first_after(t_s, after)
    if earlier < 0 or later >= len(t_s):
        return None
    earlier_w, before_w = _power_w(curve, earlier, before), _power_w(curve, before, end)
    after_w, later_w = _power_w(curve, begin, after), _power_w(curve, after, later)
    step_w = before_w - after_w
    if step_w < STEEPNESS * before_w or max(abs(earlier_w - before_w), abs(after_w - later_w)) > STEADINESS * step_w:
        return None
    excess_w = _power_w(curve, end, begin) - after_w
    delay_s = t_s[end] + excess_w / step_w * (t_s[begin] - t_s[end]) - fall_s
    return (delay_s, curve.time_error_s) if -(channel.tick_s or 0.0) <= delay_s <= MAX_LAG_S else None


def _last_before(t_s: Sequence[float], i: int) -> int:
    """Return the last index at least `SLOPE_S` before that of `i`; negative if there is none."""
    return bisect_right(t_s, t_s[i] - SLOPE_S) - 1 if i >= 0 else -1


def _first_after(t_s: Sequence[float], i: int) -> int:
    """Return the first index at least `SLOPE_S` after that of `i`; beyond the last if there is none."""
    return bisect_left(t_s, t_s[i] + SLOPE_S) if i < len(t_s) else i


def _power_w(curve: Curve, i: int, j: int) -> float:
    """Return the mean power between two of the values, watts."""
    length_s = curve.t_s[j] - curve.t_s[i]
    if curve.is_counter:
        return (curve.values[j] - curve.values[i]) / length_s
    return curve.trapezoid_j((curve.t_s[i], curve.t_s[j])) / length_s
