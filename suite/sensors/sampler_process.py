"""The sampler's process, started by `suite.sensors.sampler` as `python -P -m joulemark.suite.sensors.sampler_process`.

It reads one request line from standard input, answers with one line once every sensor has been read, and samples until
its input ends. Nothing else is written to standard output, even by a library that prints.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from joulemark.suite.energy.components import component_named
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import (
    FALLBACKS,
    Finding,
    FindResult,
    Sensor,
    SensorOptions,
    finder,
    median_cost_s,
    sensors_to_open,
    split_request,
)
from joulemark.suite.sensors.calibrations import load, this_machine, with_calibration
from joulemark.suite.trial import processes

OPEN_TIMEOUT_S = 25.0
"""A driver that hangs at its first call must not keep the run from starting."""
CPU_SHARE = 0.005
"""The share of one core that a sensor's reads may take; a sensor with more expensive reads is read less often."""
SLOWEST_PERIOD_S = 1.0
STATE_PERIOD_S = 1.0
STATISTICS_EVERY = 10


class Log:
    """The trace file. Each line is one write: it is on disk at once, whatever happens to this process."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        self._cut = False
        """Whether the file may end within a line: the disk was full."""

    def write(self, **entry: object) -> bool:
        """Add a line and return whether all of it was written. If not, only it is lost: the next begins a new line."""
        line = (json.dumps(entry, separators=(",", ":")) + "\n").encode()
        with self._lock:
            line = b"\n" + line if self._cut else line
            try:
                self._cut = os.write(self._descriptor, line) < len(line)
            except OSError:
                self._cut = True
            return not self._cut


class Reader(threading.Thread):
    """Opens one sensor and reads it until `stop` is set."""

    def __init__(self, number: int, request: str, options: SensorOptions, log: Log, stop: threading.Event) -> None:
        super().__init__(name=request, daemon=True)
        self.number, self.request, self.options, self.log, self.stop = number, request, options, log, stop
        self.ready = threading.Event()
        self.result = FindResult(None)
        self.missed = 0
        self.last_s = 0.0

    def run(self) -> None:
        name, argument = split_request(self.request)
        try:
            self.result = finder(name)(replace(self.options, argument=argument))
        except Exception as error:  # noqa: BLE001 - one sensor's failure must not affect the others
            self.result = FindResult(None, (Finding(name, found=True, readable=False, reason=f"fails: {error!r}"),))
        for finding in self.result.findings:
            self.log.write(finding=asdict(finding))
        sensor = self.result.sensor
        if sensor is None:
            self.ready.set()
            return
        try:
            self._sample(sensor)
        finally:
            sensor.close()

    def _calibrated(self, sensor: Sensor) -> Sequence[Channel]:
        """Return the channels of `sensor` with the calibration records of this machine."""
        records = [] if sensor.simulated or not self.options.calibrations else load(Path(self.options.calibrations))
        machine = this_machine() if records else ""
        return [with_calibration(channel, sensor.name, records, machine) for channel in sensor.channels]

    def _sample(self, sensor: Sensor) -> None:
        channels = [channel.model_dump(exclude={"values"}) for channel in self._calibrated(sensor)]
        if not self.log.write(
            sensor=self.number, name=sensor.name, simulated=sensor.simulated, channels=channels, wrap_j=sensor.wrap_j
        ):  # its reads would mean nothing
            reason = "its trace cannot be written: is the disk full?"
            self.result = FindResult(None, (Finding(self.request, found=True, readable=False, reason=reason),))
            self.ready.set()
            return
        period_s = affordable_period_s(median_cost_s(sensor.read, clock=time.thread_time), sensor.period_s)
        self._read(sensor)
        self.ready.set()
        begin_cpu_s = time.thread_time()  # opening the sensor is not part of any window
        deadline_s = state_s = time.monotonic()
        reads = 0
        stopping = False
        while not stopping:
            deadline_s = self._next_deadline_s(deadline_s, period_s)
            stopping = self.stop.wait(max(0.0, deadline_s - time.monotonic()))
            self._read(sensor)  # also when stopping: the trace then extends to the end of what was measured
            reads += 1
            if time.monotonic() >= state_s:
                self._log_states(sensor)
                state_s = time.monotonic() + STATE_PERIOD_S
            if stopping or reads % STATISTICS_EVERY == 0:
                self.log.write(i=self.number, missed=self.missed, cpu_s=round(time.thread_time() - begin_cpu_s, 6))

    def _next_deadline_s(self, deadline_s: float, period_s: float) -> float:
        """Return the deadline after `deadline_s`. Deadlines that have passed are skipped and counted."""
        deadline_s += period_s
        late_s = time.monotonic() - deadline_s
        if late_s <= period_s:
            return deadline_s
        skipped = int(late_s / period_s)
        self.missed += skipped
        return deadline_s + skipped * period_s

    def _log_states(self, sensor: Sensor) -> None:
        with contextlib.suppress(Exception):  # a lost GPU: its power is missing too
            for state in sensor.states():
                at_s = time.monotonic() - self.options.origin_monotonic_s
                self.log.write(i=self.number, state=state.model_dump() | {"t_s": round(at_s, 6)})

    def _read(self, sensor: Sensor) -> None:
        begin_s = time.monotonic()
        try:
            values: Sequence[float | None] = sensor.read()
        except Exception:  # noqa: BLE001 - a missed read; the next may succeed
            values = [None] * len(sensor.channels)
        end_s = time.monotonic()
        at_s = (begin_s + end_s) / 2 if sensor.timestamp_s is None else sensor.timestamp_s
        if at_s == self.last_s:
            return  # a sensor with timestamps has no new value
        self.last_s = at_s
        middle_s = at_s - self.options.origin_monotonic_s
        self.log.write(i=self.number, t=round(middle_s, 6), c=round(end_s - begin_s, 7), v=list(values))

    def reads_cpu(self) -> bool:
        """Return whether the sensor is being read and measures the CPU."""
        if not self.ready.is_set() or self.result.sensor is None:
            return False
        return any(component_named(channel.component).hardware == "cpu" for channel in self.result.sensor.channels)


def affordable_period_s(cpu_cost_s: float, wanted_s: float) -> float:
    """Return the period of a read that takes `cpu_cost_s` of CPU time: `wanted_s`, or longer if that costs too much."""
    return max(wanted_s, min(cpu_cost_s / CPU_SHARE, SLOWEST_PERIOD_S))


def main() -> None:
    """Serve one request."""
    # The end of standard input marks the parent's death too, but not to a process that is stuck in a driver.
    processes.die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stdout = processes.claim_stdout()
    request = json.loads(sys.stdin.readline())
    log = Log(request["path"])
    options = SensorOptions(**request["options"])
    log.write(origin_monotonic_s=options.origin_monotonic_s, pid=os.getpid())
    stop = threading.Event()
    readers = _start_readers(request["sensors"], partial(Reader, options=options, log=log, stop=stop))
    log.write(ready=True)
    print(json.dumps(_answer(readers)), file=stdout, flush=True)
    os.dup2(1, 2)  # to /dev/null: nobody reads messages from here on
    with contextlib.suppress(OSError):
        processes.wait_for_end_of_input()
    stop.set()
    for reader in readers:
        reader.join(1.0)
    os._exit(0)  # a thread stuck in a driver would block an orderly exit


def _start_readers(requests: Sequence[str], create: partial[Reader]) -> list[Reader]:
    """Start the readers and wait for each; fallbacks only as long as none of them reads the CPU."""
    names, with_fallbacks = sensors_to_open(requests)
    readers = [create(number, name) for number, name in enumerate(names)]
    _start_and_wait(readers)
    for name in FALLBACKS if with_fallbacks else ():
        if not any(reader.reads_cpu() for reader in readers):
            fallback = create(len(readers), name)
            _start_and_wait([fallback])
            readers.append(fallback)
    return readers


def _start_and_wait(readers: Sequence[Reader]) -> None:
    deadline_s = time.monotonic() + OPEN_TIMEOUT_S
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.ready.wait(max(0.0, deadline_s - time.monotonic()))


def _answer(readers: Sequence[Reader]) -> dict[str, object]:
    no_answer = partial(Finding, found=True, readable=False, reason=f"did not answer within {OPEN_TIMEOUT_S:.0f} s")
    results = [r.result if r.ready.is_set() else FindResult(None, (no_answer(r.name),)) for r in readers]
    findings = [asdict(finding) for result in results for finding in result.findings]
    return {"findings": findings, "sensors": [result.sensor.name for result in results if result.sensor is not None]}


if __name__ == "__main__":
    main()
