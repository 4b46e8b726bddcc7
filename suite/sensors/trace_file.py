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

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from joulemark.suite.energy.module_scope import with_counter_scopes
from joulemark.suite.energy.plausibility import plausible
from joulemark.suite.energy.update_times import with_observed_period
from joulemark.suite.records import Channel, GpuState, Trace
from joulemark.suite.records.base import MAX_TIME_S
from joulemark.suite.records.checks.run_file import MIN_READ_S

Entry = dict[str, Any]

LIMIT: Final = 1e12
"""More than any line has, in seconds, joules or watts."""


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

    @classmethod
    def of(cls, line: Entry) -> _SensorLines:
        """Return the sensor of its own line. ValueError, KeyError or TypeError if that is damaged."""
        channels = tuple(Channel.model_validate(channel) for channel in line["channels"])
        wrap_j = tuple(None if wrap is None else _number(wrap) for wrap in line["wrap_j"])
        if len(wrap_j) != len(channels) or not isinstance(line["name"], str):
            raise ValueError("not the line of a sensor")
        return cls(line["name"], bool(line["simulated"]), channels, wrap_j)

    def add(self, line: Entry) -> None:
        """Add one line; a read that is not later than the one before is left out. Errors as of `of`."""
        if "t" in line:
            time_s, cost_s = _number(line["t"], -MAX_TIME_S), _number(line["c"])
            row = [None if value is None else _shown(value) for value in line["v"]]
            if len(row) != len(self.channels):
                raise ValueError("not one value for each channel")
            if not self.t_s or time_s - self.t_s[-1] >= MIN_READ_S:
                self.t_s.append(time_s)
                self.cost_s.append(cost_s)
                self.rows.append(row)
        elif "state" in line:
            self.states.append(GpuState.model_validate(line["state"]))
        else:
            self.missed, self.cpu_s = int(_number(line["missed"])), _number(line["cpu_s"])

    def _with_limit(self, channel: Channel) -> Channel:
        """Return `channel` with the highest power limit that its GPU has had since: a limit may be changed."""
        limits_w = [state.power_limit_w for state in self.states if state.scope == channel.scope]
        highest_w = max([channel.highest_limit_w or 0.0, *(limit_w or 0.0 for limit_w in limits_w)])
        has_limit = channel.limit_w is not None or channel.highest_limit_w is not None
        return channel.model_copy(update={"highest_limit_w": highest_w}) if has_limit and highest_w else channel

    def trace(self) -> Trace:
        channels = []
        for number, channel in enumerate(self.channels):
            raw = [row[number] for row in self.rows]
            checked = plausible(self._with_limit(channel), self.t_s, raw, self.wrap_j[number])
            channels.append(with_observed_period(checked, self.t_s))
        trace = Trace(
            sensor=self.name,
            simulated=self.simulated,
            t_s=tuple(self.t_s),
            read_cost_s=statistics.median(self.cost_s) if self.cost_s else None,
            missed_deadlines=self.missed,
            cpu_s=self.cpu_s,
            channels=tuple(channels),
            states=tuple(self.states),
        )
        return with_counter_scopes(trace)


def _number(value: object, least: float = 0.0) -> float:
    """Return a number of a line. ValueError if it is none, or cannot be."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= LIMIT:
        raise ValueError(f"{value!r} is not a number of a trace")
    return value


def _shown(value: object) -> float:
    """Return what a sensor showed; NaN for what is no number. Whether it can be believed is judged with its trace."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LIMIT:
        return math.nan
    return float(value)


def load(path: Path) -> tuple[Trace, ...]:
    """Return the traces in a file, counters from 0 without wraps and resets; none if there is no file."""
    return read(path)[0]


def read(path: Path) -> tuple[tuple[Trace, ...], str]:
    """Return the traces in a file as `load` does, and what is damaged of it; empty if nothing is."""
    sensors = _Sensors()
    number = damaged = 0
    try:
        with path.open("rb") as file:
            for line in file:
                number += 1
                # A last line without its end was cut off by a kill.
                damaged += line.endswith(b"\n") and not sensors.add(_entry(line))
    except FileNotFoundError:
        return (), ""
    except OSError as error:
        return (), f"it cannot be read ({error.strerror})"
    return sensors.traces(), f"{damaged} of {number} lines" if damaged else ""


def collect(lines: Iterable[Entry]) -> tuple[Trace, ...]:
    """Return the traces made of the `lines` of a trace file."""
    sensors = _Sensors()
    for line in lines:
        sensors.add(line)
    return sensors.traces()


def _entry(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


class _Sensors:
    """The sensors of a trace file. Each one's own line comes before its reads. The file of a resumed run has two
    samplers in it, which both number their sensors from 0."""

    def __init__(self) -> None:
        self._all: list[_SensorLines] = []
        self._by_number: dict[int, _SensorLines] = {}

    def add(self, line: object) -> bool:
        """Add one line; return False if it is damaged, or the line of its sensor is."""
        if not isinstance(line, dict):
            return False
        try:
            if "sensor" in line:
                number = line["sensor"]
                self._by_number.pop(number, None)
                self._by_number[number] = sensor = _SensorLines.of(line)
                self._all.append(sensor)
            elif "i" in line:
                self._by_number[line["i"]].add(line)
            else:
                return not _OTHER_LINES.isdisjoint(line)
        except (ValueError, KeyError, TypeError, OverflowError):
            return False
        return True

    def traces(self) -> tuple[Trace, ...]:
        """Return one trace for each sensor."""
        return tuple(sensor.trace() for sensor in self._all)


_OTHER_LINES: Final = frozenset({"origin_monotonic_s", "finding", "ready"})
