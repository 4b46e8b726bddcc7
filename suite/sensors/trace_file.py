"""The trace file that the sampler writes, and how it becomes traces.

One JSON object a line, each written at once, so that a killed sampler loses nothing it has read:
{"origin_monotonic_s": ...}                              once; times below are seconds since it
{"finding": {...}}                                       a line of `joulemark doctor`
{"sensor": n, "name": ..., "channels": [...], ...}       once a sensor
{"ready": true}                                          once every sensor that could be opened has been read
{"i": n, "t": ..., "c": ..., "v": [...]}                 one read: its middle, what it took (seconds), values
{"i": n, "state": {...}}                                 the state of a board, about each second
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

from joulemark.suite.records import BoardState, Channel, Trace

PLAUSIBLE_W = 20_000.0
"""More than any processor or board draws: a counter that seems to have run faster was reset, not wrapped."""


@dataclass
class _Sensor:
    """What the file said of one sensor so far."""

    name: str
    simulated: bool
    channels: tuple[Channel, ...]
    wrap_j: tuple[float | None, ...]
    t_s: list[float] = field(default_factory=list)
    cost_s: list[float] = field(default_factory=list)
    rows: list[Sequence[float | None]] = field(default_factory=list)
    states: list[BoardState] = field(default_factory=list)
    missed: int = 0
    cpu_s: float | None = None


def load(path: Path) -> tuple[Trace, ...]:
    """The traces in the file at `path`; none where there is no file. Lines that are damaged are left out.

    Counters begin at 0 and have their wraps and resets undone.
    """
    return collect(_lines(path))


def collect(lines: Iterable[dict[str, Any]]) -> tuple[Trace, ...]:
    """The traces that `lines` of a trace file add up to; each sensor's own line comes before its reads."""
    found: list[_Sensor] = []
    sensors: dict[int, _Sensor] = {}
    for line in lines:
        if "sensor" in line:
            sensors[line["sensor"]] = sensor = _Sensor(
                name=line["name"],
                simulated=line["simulated"],
                channels=tuple(Channel.model_validate(channel) for channel in line["channels"]),
                wrap_j=tuple(line["wrap_j"]),
            )
            found.append(sensor)
        elif (of := sensors.get(line.get("i", -1))) is None:
            continue  # of no sensor, or of one whose own line is damaged
        elif "t" in line:
            _add(of, line)
        elif "state" in line:
            of.states.append(BoardState.model_validate(line["state"]))
        elif "missed" in line:
            of.missed, of.cpu_s = line["missed"], line["cpu_s"]
    return tuple(_trace(sensor) for sensor in found)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of the file, without lines that are none: the disk was full, or the sampler was killed over them."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                with contextlib.suppress(json.JSONDecodeError):
                    entry = json.loads(text)
                    if isinstance(entry, dict):
                        yield entry
    except OSError:
        return


def _add(sensor: _Sensor, line: dict[str, Any]) -> None:
    if sensor.t_s and line["t"] <= sensor.t_s[-1]:
        return
    sensor.t_s.append(line["t"])
    sensor.cost_s.append(line["c"])
    sensor.rows.append(line["v"])


def _trace(sensor: _Sensor) -> Trace:
    channels = []
    for number, channel in enumerate(sensor.channels):
        values: Sequence[float | None] = [row[number] for row in sensor.rows]
        resets: tuple[float, ...] = ()
        if channel.unit == "J":
            values, resets = accumulated(sensor.t_s, values, sensor.wrap_j[number])
        channels.append(channel.model_copy(update={"values": tuple(values), "resets_s": resets}))
    return Trace(
        sensor=sensor.name,
        simulated=sensor.simulated,
        t_s=tuple(sensor.t_s),
        read_cost_s=statistics.median(sensor.cost_s) if sensor.cost_s else None,
        missed_deadlines=sensor.missed,
        cpu_s=sensor.cpu_s,
        channels=tuple(channels),
        states=tuple(sensor.states),
    )


def accumulated(
    t_s: Sequence[float], raw_j: Iterable[float | None], wrap_j: float | None
) -> tuple[list[float | None], tuple[float, ...]]:
    """Joules since the first read, and the times at which the counter was reset.

    A fall is a wrap where the counter wraps at `wrap_j` and the power that follows is one that hardware can draw;
    else a reset (the driver was loaded anew, the machine slept): what was drawn between the last read and the reset
    is lost, what the counter shows since is counted.
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
