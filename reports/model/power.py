"""Power over time as the sensors saw it, thinned for a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from joulemark.suite.energy.components import channel_label
from joulemark.suite.records import Channel, RunFile, Trace

MAX_POINTS = 2000
"""Points of one channel in the run file that a page holds."""
CHART_POINTS = 1000
"""Points of one line: the lowest and the highest of every other pixel of a chart 1,000 pixels wide."""

Points = list[tuple[float, float | None]]


@dataclass(frozen=True)
class Line:
    """One channel as power over time."""

    sensor: str
    component: str
    scope: str
    kind: str
    simulated: bool
    t_s: tuple[float, ...]
    """Seconds since the start of the run."""
    power_w: tuple[float | None, ...]
    """Watts; None where a read was missed."""
    samples: int
    """Points before thinning."""
    rate_hz: float | None
    """Reads a second, median; None with fewer than two reads."""

    @property
    def name(self) -> str:
        """For people: `package-0`, or `gpu GPU-1a2b`."""
        return channel_label(self.component, self.scope)


def power_lines(run_file: RunFile) -> tuple[Line, ...]:
    """Every channel of every trace as power in watts, at most `CHART_POINTS` points each."""
    return tuple(_line(trace, channel) for trace in run_file.traces for channel in trace.channels)


def _line(trace: Trace, channel: Channel) -> Line:
    points = _power(trace.t_s, channel)
    thinned = thin(points, CHART_POINTS)
    gaps = sorted(b - a for a, b in pairwise(trace.t_s))
    return Line(
        sensor=trace.sensor,
        component=channel.component,
        scope=channel.scope,
        kind=channel.kind,
        simulated=trace.simulated,
        t_s=tuple(t for t, _ in thinned),
        power_w=tuple(p for _, p in thinned),
        samples=len(points),
        rate_hz=1 / gaps[len(gaps) // 2] if gaps and gaps[len(gaps) // 2] > 0 else None,
    )


def _power(t_s: Sequence[float], channel: Channel) -> Points:
    """The channel in watts. A counter gives the mean between two reads, which stands at the later of them."""
    if channel.unit == "W":
        return list(zip(t_s, channel.values, strict=True))
    points: Points = []
    for (t0, e0), (t1, e1) in pairwise(zip(t_s, channel.values, strict=True)):
        known = e0 is not None and e1 is not None and t1 > t0
        points.append((t1, (e1 - e0) / (t1 - t0) if known and e0 is not None and e1 is not None else None))
    return points


def thin(points: Points, limit: int) -> Points:
    """At most `limit` of `points`, peaks kept."""
    return [points[i] for i in extremes([power for _, power in points], limit)]


def extremes(values: Sequence[float | None], limit: int) -> list[int]:
    """Indices of at most `limit` of `values`: of each of limit/2 equal stretches the lowest and the highest, in order.

    A mean would hide the peaks that a reader looks for. A stretch without any value keeps one point, so that the gap
    stays.
    """
    if len(values) <= limit:
        return list(range(len(values)))
    kept: list[int] = []
    width = len(values) / (limit // 2)
    for i in range(limit // 2):
        stretch = range(math.floor(i * width), math.floor((i + 1) * width))
        known = [(value, j) for j in stretch if (value := values[j]) is not None]
        kept += sorted({min(known)[1], max(known)[1]}) if known else [stretch[0]]
    return kept
