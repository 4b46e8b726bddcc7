"""A recorded trace as a sensor: `--sensor replay:FILE`, FILE being a run file or the trace of an interrupted run.

At each time since the start, counters are interpolated and power is what was last read. After the end, values are
missing.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Channel, Trace
from joulemark.suite.records.files import read
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions
from joulemark.suite.system.directories import expanded


class ReplaySensor(Sensor):
    """All channels of all traces in a file."""

    name = "replay"
    simulated = True

    def __init__(self, traces: tuple[Trace, ...], file_name: str) -> None:
        self._recorded = [(trace, channel) for trace in traces for channel in trace.channels]
        self._begin_s = time.monotonic()
        self._first_s = min(trace.t_s[0] for trace in traces)
        empty = {"values": (), "resets_s": (), "implausible_s": ()}
        channels = [
            channel.model_copy(update=empty | {"source": f"replay of {file_name}: {channel.source}"})
            for _, channel in self._recorded
        ]
        super().__init__(channels)

    def read(self) -> list[float | None]:
        at_s = time.monotonic() - self._begin_s + self._first_s
        return [value_at(trace, channel, at_s) for trace, channel in self._recorded]


def value_at(trace: Trace, channel: Channel, at_s: float) -> float | None:
    """Return what `channel` showed at `at_s`; None outside of its reads and next to a missed one."""
    i = bisect_right(trace.t_s, at_s)
    if i == 0 or i == len(trace.t_s):
        return channel.values[-1] if i and at_s == trace.t_s[-1] else None
    before, after = channel.values[i - 1], channel.values[i]
    if channel.unit == "W" or before is None or after is None:
        return before
    share = (at_s - trace.t_s[i - 1]) / (trace.t_s[i] - trace.t_s[i - 1])
    return before * (1 - share) + after * share


def load(file: str) -> tuple[Trace, ...]:
    """Return the traces in `file`. Raises UsageError if it cannot be read or has none."""
    path = expanded(file)
    if not file:
        raise UsageError("--sensor replay needs a file: replay:RUN.json.")
    traces = tuple(trace for trace in trace_file.load(path) or read(path).traces if trace.t_s)
    if not traces:
        raise UsageError(f"{path} has no trace to replay.")
    return traces


def check(argument: str) -> None:
    """Raise UsageError if the file `argument` cannot be replayed."""
    load(argument)


def find(options: SensorOptions) -> FindResult:
    """Open the file; its time begins now."""
    traces = load(options.argument)
    file_name = Path(options.argument).name
    length_s = max(trace.t_s[-1] for trace in traces) - min(trace.t_s[0] for trace in traces)
    reason = f"replay of {', '.join(trace.sensor for trace in traces)} from {file_name}, {length_s:.0f} s"
    finding = Finding("replay", found=True, readable=True, reason=reason)
    return FindResult(ReplaySensor(traces, file_name), (finding,))
