"""The trace file that the sampler writes, and its conversion to traces.

It has one JSON object a line, each written at once: a killed sampler loses nothing that it has read.
{"origin_monotonic_s": ...}                              once; times below are seconds since it
{"finding": {...}}                                       a line of `joulemark doctor`
{"sensor": n, "name": ..., "channels": [...], ...}       once for each sensor
{"ready": true}                                          once every sensor that could be opened has been read
{"i": n, "t": ..., "c": ..., "v": [...]}                 one read: its middle, its duration (seconds), values
{"i": n, "state": {...}}                                 the state of a GPU, about each second
{"i": n, "missed": ..., "cpu_s": ...}                    now and then: deadlines missed and CPU time used so far
"""

from __future__ import annotations

import contextlib
import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joulemark.suite.records import Channel, GpuState, Trace

PLAUSIBLE_W = 20_000.0
"""More than any CPU or GPU draws: a counter that seems to have run faster was reset and has not wrapped."""


@dataclass
class _SensorLines:
    """What the lines of one sensor add up to."""

    name: str
    simulated: bool
    channels: tuple[Channel, ...]
    wrap_j: tuple[float | None, ...]
    t_s: list[float] = field(default_factory=list)
    cost_s: list[float] = field(default_factory=list)
    rows: list[Sequence[float | None]] = field(default_factory=list)
    states: list[GpuState] = field(default_factory=list)
    missed: int = 0
    cpu_s: float | None = None

    def add(self, line: dict[str, Any]) -> None:
        """Add one line. A read that is not later than the one before is left out."""
        if "t" in line:
            if not self.t_s or line["t"] > self.t_s[-1]:
                self.t_s.append(line["t"])
                self.cost_s.append(line["c"])
                self.rows.append(line["v"])
        elif "state" in line:
            self.states.append(GpuState.model_validate(line["state"]))
        elif "missed" in line:
            self.missed, self.cpu_s = line["missed"], line["cpu_s"]

    def trace(self) -> Trace:
        channels = []
        for number, channel in enumerate(self.channels):
            values: Sequence[float | None] = [row[number] for row in self.rows]
            resets: tuple[float, ...] = ()
            if channel.unit == "J":
                values, resets = accumulated(self.t_s, values, self.wrap_j[number])
            channels.append(channel.model_copy(update={"values": tuple(values), "resets_s": resets}))
        return Trace(
            sensor=self.name,
            simulated=self.simulated,
            t_s=tuple(self.t_s),
            read_cost_s=statistics.median(self.cost_s) if self.cost_s else None,
            missed_deadlines=self.missed,
            cpu_s=self.cpu_s,
            channels=tuple(channels),
            states=tuple(self.states),
        )


def load(path: Path) -> tuple[Trace, ...]:
    """Return the traces in a file, counters from 0 without wraps and resets; none if there is no file."""
    return collect(_lines(path))


def collect(lines: Iterable[dict[str, Any]]) -> tuple[Trace, ...]:
    """Return the traces made of the `lines` of a trace file. Each sensor's own line comes before its reads. The file of
    a resumed run has two samplers in it, which both number their sensors from 0."""
    sensors: list[_SensorLines] = []
    by_number: dict[int, _SensorLines] = {}
    for line in lines:
        if "sensor" in line:
            channels = tuple(Channel.model_validate(channel) for channel in line["channels"])
            sensor = _SensorLines(line["name"], line["simulated"], channels, tuple(line["wrap_j"]))
            sensors.append(sensor)
            by_number[line["sensor"]] = sensor
        elif line.get("i") in by_number:  # else the sensor's own line is damaged
            by_number[line["i"]].add(line)
    return tuple(sensor.trace() for sensor in sensors)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of the file, without damaged lines: the disk was full, or the sampler was killed."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                with contextlib.suppress(json.JSONDecodeError):
                    entry = json.loads(text)
                    if isinstance(entry, dict):
                        yield entry
    except OSError:
        return


def accumulated(
    t_s: Sequence[float], raw_j: Iterable[float | None], wrap_j: float | None
) -> tuple[list[float | None], tuple[float, ...]]:
    """Return the joules since the first read, and the times at which the counter was reset.

    A decrease is a wrap if the counter wraps at `wrap_j` and hardware can draw the power that this implies. Otherwise
    it is a reset (the driver was reloaded, the machine slept): energy between the last read and the reset is lost, and
    what the counter shows since is counted.
    """
    values: list[float | None] = []
    resets: list[float] = []
    total_j = 0.0
    last: tuple[float, float] | None = None
    for time_s, raw in zip(t_s, raw_j, strict=True):
        if raw is None:
            values.append(None)
            continue
        if last is not None:
            step_j = raw - last[1]
            if step_j < 0:
                step_j += wrap_j or 0.0
                if wrap_j is None or not 0 <= step_j <= PLAUSIBLE_W * (time_s - last[0]):
                    step_j = raw
                    resets.append(time_s)
            total_j += step_j
        last = (time_s, raw)
        values.append(total_j)
    return values, tuple(resets)
