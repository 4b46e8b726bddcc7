"""Power over time as the sensors recorded it, thinned for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from joulemark.reports.thinning import extremes
from joulemark.suite.energy.idle_table import component_label
from joulemark.suite.records import Channel, RunFile, Trace

CHART_POINTS = 1000
"""Points of one line: the minimum and maximum of every other pixel of a chart 1,000 pixels wide."""

Points = list[tuple[float, float | None]]
"""Seconds since the start of the run, and watts; None for a missed read."""


@dataclass(frozen=True)
class PowerTrace:
    """One channel as power over time."""

    name: str
    """For people: `package-0`, or `cuda:0 counter` where a GPU has several channels."""
    sensor: str
    kind: str
    simulated: bool
    t_s: tuple[float, ...]
    """Seconds since the start of the run."""
    power_w: tuple[float | None, ...]
    """Watts; None for a missed read."""
    samples: int
    """Points before thinning."""
    rate_hz: float | None
    """Median reads per second; None for fewer than two reads."""


def power_traces(run_file: RunFile) -> tuple[PowerTrace, ...]:
    """Return every channel of every trace as power in watts, at most CHART_POINTS points each."""
    channels = [(trace, channel) for trace in run_file.traces for channel in trace.channels]
    labels = [component_label(channel, run_file.machine.gpus) for _, channel in channels]
    names = [
        f"{label} {channel.kind}" if labels.count(label) > 1 else label
        for label, (_, channel) in zip(labels, channels, strict=True)
    ]
    return tuple(_power_trace(name, *channel) for name, channel in zip(names, channels, strict=True))


def _power_trace(name: str, trace: Trace, channel: Channel) -> PowerTrace:
    points = _power(trace.t_s, channel)
    thinned = thin(points, CHART_POINTS)
    gaps_s = sorted(b - a for a, b in pairwise(trace.t_s))
    return PowerTrace(
        name=name,
        sensor=trace.sensor,
        kind=channel.kind,
        simulated=trace.simulated,
        t_s=tuple(t for t, _ in thinned),
        power_w=tuple(power for _, power in thinned),
        samples=len(points),
        rate_hz=1 / gaps_s[len(gaps_s) // 2] if gaps_s and gaps_s[len(gaps_s) // 2] > 0 else None,
    )


def _power(t_s: Sequence[float], channel: Channel) -> Points:
    """Return the channel in watts; a counter gives the mean between two reads, at the time of the later one."""
    if channel.unit == "W":
        return list(zip(t_s, channel.values, strict=True))
    points: Points = []
    for (t0, e0), (t1, e1) in pairwise(zip(t_s, channel.values, strict=True)):
        points.append((t1, (e1 - e0) / (t1 - t0) if e0 is not None and e1 is not None and t1 > t0 else None))
    return points


def thin(points: Points, limit: int) -> Points:
    """Return at most `limit` of `points`, peaks kept."""
    return [points[i] for i in extremes([power for _, power in points], limit)]
