"""The sampler's process, started by `suite.sensors.sampler` as `python -P -m joulemark.suite.sensors.sampler_process`.

It reads one request line from standard input, answers with one line once every sensor was read, and goes on until its
input ends. Nothing else is written to standard output: a library that prints does not disturb.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict

from joulemark.suite.energy.components import component_named
from joulemark.suite.sensors.base import (
    STAND_INS,
    Finding,
    Opened,
    Options,
    Sensor,
    opener,
    split,
    wanted,
)

OPEN_TIMEOUT_S = 25.0
"""A driver that hangs at its first call must not keep the run from starting."""
CPU_SHARE = 0.005
"""The share of one core that a sensor's reads may take; a dearer one is read less often."""
SLOWEST_PERIOD_S = 1.0
COST_READS = 5
STATE_PERIOD_S = 1.0
STATISTICS_EVERY = 10
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Log:
    """The trace file. One write a line, so that all of it is on disk at once, whatever becomes of this process."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._lock = threading.Lock()
        self._cut = False
        """Whether the file may end within a line: the disk was full."""

    def write(self, **entry: object) -> bool:
        """Add a line; whether all of it was written. One that was not is lost alone: the next begins anew."""
        line = (json.dumps(entry, separators=(",", ":")) + "\n").encode()
        with self._lock:
            line = b"\n" + line if self._cut else line
            try:
                self._cut = os.write(self._descriptor, line) < len(line)
            except OSError:
                self._cut = True
            return not self._cut


class Reader(threading.Thread):
    """Opens one sensor and reads it until told to stop."""

    def __init__(self, number: int, request: str, options: Options, log: Log, stop: threading.Event) -> None:
        super().__init__(name=request, daemon=True)
        self.number, self.request, self.options, self.log, self.stop = number, request, options, log, stop
        self.ready = threading.Event()
        self.opened = Opened(None)
        self.missed = 0
        self.last_s = 0.0

    def run(self) -> None:
        name, argument = split(self.request)
        try:
            self.opened = opener(name)(Options(**(asdict(self.options) | {"argument": argument})))
        except Exception as error:  # noqa: BLE001 - one sensor's trouble must not take the others with it
            self.opened = Opened(None, (Finding(name, found=True, readable=False, reason=f"fails: {error!r}"),))
        for finding in self.opened.findings:
            self.log.write(finding=asdict(finding))
        sensor = self.opened.sensor
        if sensor is None:
            self.ready.set()
            return
        try:
            self._sample(sensor)
        finally:
            sensor.close()

    def _sample(self, sensor: Sensor) -> None:
        channels = [channel.model_dump(exclude={"values"}) for channel in sensor.channels]
        if not self.log.write(
            sensor=self.number, name=sensor.name, simulated=sensor.simulated, channels=channels, wrap_j=sensor.wrap_j
        ):  # nobody could tell what its reads are of
            reason = "its trace cannot be written: is the disk full?"
            self.opened = Opened(None, (Finding(self.request, found=True, readable=False, reason=reason),))
            self.ready.set()
            return
        period_s = paced(_cpu_cost_s(sensor), sensor.period_s)
        self._read(sensor)
        self.ready.set()
        begin_cpu_s = time.thread_time()  # what was spent on opening it is not part of any window
        deadline_s = state_s = time.monotonic()
        reads = 0
        while True:
            deadline_s += period_s
            late_s = time.monotonic() - deadline_s
            if late_s > period_s:
                skipped = int(late_s / period_s)
                self.missed += skipped
                deadline_s += skipped * period_s
            stopping = self.stop.wait(max(0.0, deadline_s - time.monotonic()))
            self._read(sensor)  # also when stopping: the trace then reaches to the end of what was measured
            reads += 1
            if time.monotonic() >= state_s:
                self._state(sensor)
                state_s = time.monotonic() + STATE_PERIOD_S
            if stopping or reads % STATISTICS_EVERY == 0:
                self.log.write(i=self.number, missed=self.missed, cpu_s=round(time.thread_time() - begin_cpu_s, 6))
            if stopping:
                return

    def _state(self, sensor: Sensor) -> None:
        with contextlib.suppress(Exception):  # a board that is gone: its power is missed too, which tells
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
        at_s = (begin_s + end_s) / 2 if sensor.stamp_s is None else sensor.stamp_s
        if at_s == self.last_s:
            return  # time stamps of its own, and none is new
        self.last_s = at_s
        middle_s = at_s - self.options.origin_monotonic_s
        self.log.write(i=self.number, t=round(middle_s, 6), c=round(end_s - begin_s, 7), v=list(values))


def _cpu_cost_s(sensor: Sensor) -> float:
    """Median CPU time of one read, seconds: the first may load libraries."""
    costs = []
    for _ in range(COST_READS):
        begin_s = time.thread_time()
        with contextlib.suppress(Exception):  # a failed read costs too
            sensor.read()
        costs.append(time.thread_time() - begin_s)
    return statistics.median(costs)


def paced(cpu_cost_s: float, wanted_s: float) -> float:
    """The period for a read that takes `cpu_cost_s` of CPU time: as wanted, longer where that would cost too much."""
    return max(wanted_s, min(cpu_cost_s / CPU_SHARE, SLOWEST_PERIOD_S))


def main() -> None:
    """Serve one request."""
    parent = os.getppid()
    # The pipe's end tells of the parent's death too, but only to a process that is not stuck in a driver.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answer = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    request = json.loads(sys.stdin.readline())
    log = Log(request["path"])
    log.write(origin_monotonic_s=request["origin_monotonic_s"], pid=os.getpid())
    options = Options(
        powercap_root=request["powercap_root"],
        ticks=request["ticks"],
        origin_monotonic_s=request["origin_monotonic_s"],
    )
    stop = threading.Event()
    readers = _start(request["sensors"], options, log, stop)
    log.write(ready=True)
    answer.write(json.dumps(_answer(readers)) + "\n")
    answer.flush()
    os.dup2(nowhere, 2)
    with contextlib.suppress(OSError):
        while sys.stdin.readline():
            pass
    stop.set()
    for reader in readers:
        reader.join(1.0)
    os._exit(0)  # a thread stuck in a driver would keep an orderly exit waiting


def _start(requests: Sequence[str], options: Options, log: Log, stop: threading.Event) -> list[Reader]:
    """Start the readers and wait for each; stand-ins only where none of the hardware reads the processor."""
    names, others = wanted(requests)
    readers = [Reader(n, name, options, log, stop) for n, name in enumerate(names)]
    _await(readers)
    for name in STAND_INS if others else ():
        if not _reads_the_processor(readers):
            stand_in = Reader(len(readers), name, options, log, stop)
            _await([stand_in])
            readers.append(stand_in)
    return readers


def _reads_the_processor(readers: Sequence[Reader]) -> bool:
    return any(
        component_named(channel.component).hardware == "cpu"
        for reader in readers
        if reader.ready.is_set() and reader.opened.sensor
        for channel in reader.opened.sensor.channels
    )


def _await(readers: Sequence[Reader]) -> None:
    deadline_s = time.monotonic() + OPEN_TIMEOUT_S
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.ready.wait(max(0.0, deadline_s - time.monotonic()))


def _answer(readers: Sequence[Reader]) -> dict[str, object]:
    findings: list[Finding] = []
    for reader in readers:
        if reader.ready.is_set():
            findings.extend(reader.opened.findings)
        else:
            reason = f"did not answer within {OPEN_TIMEOUT_S:.0f} s"
            findings.append(Finding(reader.name, found=True, readable=False, reason=reason))
    sensors = [reader.opened.sensor.name for reader in readers if reader.ready.is_set() and reader.opened.sensor]
    return {"findings": [asdict(finding) for finding in findings], "sensors": sensors}


if __name__ == "__main__":
    main()
