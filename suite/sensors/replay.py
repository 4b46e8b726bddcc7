"""A recorded trace as a sensor: `--sensor replay:FILE`, FILE being a run file or the trace of an interrupted run.

Counters are shown interpolated, power as it last was, at the time since the start. What is past the end is missing.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from pathlib import Path

from joulemark.suite.errors import UsageError
from joulemark.suite.records import BoardState, Channel, Trace, read
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.base import Finding, Opened, Options


class Replay:
    """All channels of all traces in a file."""

    name = "replay"
    simulated = True
    period_s = 0.1
    stamp_s: float | None = None

    def __init__(self, recorded: tuple[Trace, ...], file: str) -> None:
        self._curves = [(trace, channel) for trace in recorded for channel in trace.channels]
        self._begin_s = time.monotonic()
        self._first_s = min(trace.t_s[0] for trace in recorded)
        empty = {"values": (), "resets_s": ()}
        self.channels = tuple(
            channel.model_copy(update=empty | {"source": f"replay of {Path(file).name}: {channel.source}"})
            for _, channel in self._curves
        )
        self.wrap_j: tuple[float | None, ...] = (None,) * len(self.channels)

    def read(self) -> list[float | None]:
        at_s = time.monotonic() - self._begin_s + self._first_s
        return [value_at(trace, channel, at_s) for trace, channel in self._curves]

    def states(self) -> tuple[BoardState, ...]:
        return ()

    def close(self) -> None:
        """Holds nothing."""


def value_at(trace: Trace, channel: Channel, at_s: float) -> float | None:
    """What `channel` showed at `at_s`; None before its first and after its last read, and next to a missed one."""
    i = bisect_right(trace.t_s, at_s)
    if i == 0 or i == len(trace.t_s):
        return channel.values[-1] if i and at_s == trace.t_s[-1] else None
    before, after = channel.values[i - 1], channel.values[i]
    if channel.unit == "W" or before is None or after is None:
        return before
    share = (at_s - trace.t_s[i - 1]) / (trace.t_s[i] - trace.t_s[i - 1])
    return before * (1 - share) + after * share


def recorded(file: str) -> tuple[Trace, ...]:
    """The traces in `file`. UsageError where it cannot be read or holds none."""
    path = Path(file).expanduser()
    if not file:
        raise UsageError("--sensor replay needs a file: replay:RUN.json.")
    found = trace_file.load(path) or read(path).traces
    found = tuple(trace for trace in found if trace.t_s)
    if not found:
        raise UsageError(f"{path} holds no trace to replay.")
    return found


def check(argument: str) -> None:
    """UsageError where the file in `argument` cannot be replayed."""
    recorded(argument)


def find(options: Options) -> Opened:
    """Open the file; its time begins now."""
    found = recorded(options.argument)
    sensor = Replay(found, options.argument)
    seconds = max(trace.t_s[-1] for trace in found) - min(trace.t_s[0] for trace in found)
    names = ", ".join(trace.sensor for trace in found)
    reason = f"replay of {names} from {Path(options.argument).name}, {seconds:.0f} s"
    return Opened(sensor, (Finding("replay", found=True, readable=True, reason=reason),))
