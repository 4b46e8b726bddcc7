"""Which values of a sensor its hardware can have shown. Pure: raw values in, values without the others out.

Sensors show nonsense now and then: all ones, zero, another register, a jump of kilojoules. Each step of a counter must
be a rise within what the hardware can draw in that time, a wrap, or a restart; each power sample must lie within it.
What does not is left out and listed, for any sensor alike.

Of all ways to read a counter, the one that leaves out the fewest values is taken. Leaving one out costs 1; a restart
or a jump for good costs more, so that a value that comes back to where it was is left out instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from joulemark.suite.energy.update_times import longest_hold_s
from joulemark.suite.records import Channel

LIMIT_FACTOR: Final = 1.5
"""A device may draw more than its limit for a moment: instant samples of an H200 reach 769 W under a cap of 700 W."""
CEILINGS_W: Final = {"package": 2_000.0, "dram": 2_000.0, "gpu": 5_000.0, "module": 10_000.0}
"""The most that is assumed where no limit is known: over twice the largest of today (packages of 500 W, 700 W for a
short time; GPUs of 1,400 W; modules of 2,700 W)."""
CEILING_W: Final = 20_000.0
"""The same for any other component, whole machines included."""
JITTER_S: Final = 0.01
"""A value may be of any moment within its read, which takes up to 7 ms."""
LOOK_BACK: Final = 8
"""Values in a row that may be left out. More are a restart, or a jump for good."""
RESTART_COST: Final = 2.5
JUMP_COST: Final = 3.5
USUAL_FACTOR: Final = 2.0
"""With some values left out, a counter may rise so many times as fast as next to them."""
NEIGHBOURS: Final = 3
"""Steps on either side of a gap that the power in it is taken from."""


@dataclass(frozen=True)
class _Step:
    """How a counter came to one value."""

    index: int
    rise_j: float | None
    """None where it restarted or jumped."""
    cost: float = 0.0
    least_j: float = 0.0
    """What it has counted since it restarted."""


def most_w(channel: Channel) -> float:
    """Return the most that the hardware behind `channel` can draw, watts."""
    ceiling_w = CEILINGS_W.get(channel.component, CEILING_W)
    limits_w = [limit_w for limit_w in (channel.limit_w, channel.highest_limit_w) if limit_w]
    return min(LIMIT_FACTOR * max(limits_w), CEILING_W) if limits_w else ceiling_w


def most_in_words(channel: Channel) -> str:
    """Return `most_w` and what it rests on."""
    limits_w = [limit_w for limit_w in (channel.limit_w, channel.highest_limit_w) if limit_w]
    basis = f"{LIMIT_FACTOR:g} times its limit of {max(limits_w):,.0f} W" if limits_w else "assumed, no limit is known"
    return f"{most_w(channel):,.0f} W ({basis})"


def plausible(
    channel: Channel, t_s: Sequence[float], raw: Sequence[float | None], wrap_j: float | None = None
) -> Channel:
    """Return `channel` with what can be believed of its raw values.

    Args:
        channel: A channel without values.
        t_s: Times of the reads, seconds, increasing.
        raw: What was read at these times, joules as the counter shows them or watts; None for a missed read, and any
            number, NaN and infinity too, for what was shown.
        wrap_j: Joules at which the counter starts again from 0; None if it never does.
    """
    highest_w = most_w(channel)
    if channel.unit == "J":
        steps = _counter_steps(t_s, raw, wrap_j, highest_w, channel.tick_s)
        kept = _accumulated(t_s, steps, highest_w)
        resets_s = tuple(t_s[step.index] for step in steps if step.rise_j is None)
    else:
        # Hardware that is on draws power; a model may say that it draws none.
        least_w = 0.0 if channel.kind == "model" else math.ulp(0.0)
        kept = {i: value for i, value in enumerate(raw) if value is not None and least_w <= value <= highest_w}
        resets_s = ()
    return channel.model_copy(
        update={
            "values": tuple(map(kept.get, range(len(t_s)))),
            "resets_s": resets_s,
            "implausible_s": tuple(t_s[i] for i, value in enumerate(raw) if value is not None and i not in kept),
        }
    )


@dataclass(frozen=True)
class _Counter:
    """The values of a counter that are numbers within its range."""

    indices: Sequence[int]
    t_s: Sequence[float]
    values: Sequence[float]
    wrap_j: float | None
    highest_w: float
    tick_s: float | None

    def step(self, m: int, n: int, held_s: float) -> _Step:
        """Return the step from value `m` to value `n`; `held_s` is when value `m` was last known to be another."""
        # A value was updated no earlier than it was last known to be another.
        allowed_j = self.highest_w * (self.t_s[n] - held_s + (self.tick_s or 0.0) + JITTER_S)
        rise_j = self.values[n] - self.values[m]
        if rise_j < 0 and self.wrap_j is not None and rise_j + self.wrap_j <= allowed_j:
            rise_j += self.wrap_j
        if 0 <= rise_j <= allowed_j:
            return _Step(self.indices[n], rise_j, 0.0)
        if rise_j < 0 and self.values[n] <= allowed_j:
            return _Step(self.indices[n], None, RESTART_COST, self.values[n])
        return _Step(self.indices[n], None, JUMP_COST)

    def is_glitch(self, m: int, n: int, rise_j: float, before_s: float) -> bool:
        """Return whether the values between `m` and `n` may be left out, so that the counter rose by `rise_j`.

        They fit neither the value before nor the one after; or, without them, the counter rises as it does around.
        Otherwise a jump for good would be hidden by the values next to it.
        """
        first, last = self.step(m, m + 1, before_s), self.step(n - 1, n, self.t_s[n - 1])
        if first.rise_j is None and last.rise_j is None:
            return True
        rises = [self.step(k, k + 1, self.t_s[k]).rise_j for k in (m - 1, n) if 0 <= k < len(self.values) - 1]
        lengths_s = [self.t_s[k + 1] - self.t_s[k] for k in (m - 1, n) if 0 <= k < len(self.values) - 1]
        around_w = max([(rise or 0.0) / length for rise, length in zip(rises, lengths_s, strict=True)], default=0.0)
        return rise_j <= (USUAL_FACTOR * around_w) * (self.t_s[n] - self.t_s[m]) + self.highest_w * JITTER_S


def _counter_steps(
    t_s: Sequence[float], raw: Sequence[float | None], wrap_j: float | None, highest_w: float, tick_s: float | None
) -> list[_Step]:
    """Return the values of a counter that are kept, each with the step that leads to it; the first has a rise of 0."""
    highest_j = math.inf if wrap_j is None else wrap_j
    read = [(i, t_s[i], v) for i, v in enumerate(raw) if v is not None and 0 <= v <= highest_j and v < math.inf]
    if not read:
        return []
    indices, times, values = zip(*read, strict=True)
    counter = _Counter(indices, times, values, wrap_j, highest_w, tick_s)
    unknown_s = longest_hold_s(times, values) if tick_s is None else tick_s
    costs: list[float] = []
    parents: list[int] = []
    steps: list[_Step] = []
    held_s: list[float] = []  # when each value was last known to be another
    for n in range(len(values)):
        # The first that is kept: values before it are left out.
        cost, parent, chosen = (float(n) if n < LOOK_BACK else math.inf), -1, _Step(indices[n], 0.0)
        recent = range(max(0, n - LOOK_BACK), n)
        least_cost = min((costs[m] for m in recent), default=math.inf)
        for m in reversed(recent):
            step = counter.step(m, n, held_s[m])
            total = costs[m] + (n - m - 1) + step.cost
            if total < cost and m < n - 1 and step.rise_j and not counter.is_glitch(m, n, step.rise_j, held_s[m]):
                total += JUMP_COST
            if total < cost:
                cost, parent, chosen = total, m, step
            if cost <= least_cost + n - m:
                break  # no earlier value can cost less
        costs.append(cost)
        parents.append(parent)
        steps.append(chosen)
        is_same = parent >= 0 and chosen.rise_j == 0
        held_s.append(held_s[parent] if is_same else times[parent] if parent >= 0 else times[n] - unknown_s)
    # Values after the last that is kept are left out too.
    end = len(values)
    last = min(range(max(0, end - LOOK_BACK), end), key=lambda n: costs[n] + end - 1 - n)
    chain = []
    while last >= 0:
        chain.append(steps[last])
        last = parents[last]
    return chain[::-1]


def _accumulated(t_s: Sequence[float], steps: Sequence[_Step], highest_w: float) -> dict[int, float]:
    """Return the joules since the first of `steps` by index. A restart or a jump has the power on both sides of it."""
    total_j = 0.0
    values: dict[int, float] = {}
    for n, step in enumerate(steps):
        if step.rise_j is None:
            gap_s = t_s[step.index] - t_s[steps[n - 1].index]
            sides = steps[max(0, n - NEIGHBOURS - 1) : n], steps[n : n + NEIGHBOURS + 1]
            powers_w = [power_w for side in sides if (power_w := _power_w(t_s, side)) is not None]
            between_j = sum(powers_w) / len(powers_w) * gap_s if powers_w else 0.0
            total_j += min(max(step.least_j, between_j), highest_w * gap_s)
        else:
            total_j += step.rise_j
        values[step.index] = total_j
    return values


def _power_w(t_s: Sequence[float], steps: Sequence[_Step]) -> float | None:
    """Return the mean power of the rises from the first of `steps` to its last; None where there is none."""
    rises = [(t_s[b.index] - t_s[a.index], b.rise_j) for a, b in pairwise(steps) if b.rise_j is not None]
    length_s = sum(duration_s for duration_s, _ in rises)
    return sum(rise_j for _, rise_j in rises) / length_s if length_s > 0 else None
