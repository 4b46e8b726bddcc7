"""The sampler: a process of its own that reads every sensor while trials come and go.

    sampler = Sampler.start(path, origin_monotonic_s=time.monotonic())
    ...                                   # measure
    sampler.stop()
    trace_file.load(path)

It outlives all trials and dies with the process that started it. Each sensor has a thread, so a sensor that blocks
blocks only itself. Reads are at absolute deadlines on CLOCK_MONOTONIC, which all processes of a machine share. Each
read is written at once: memory stays bounded and a kill loses nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from joulemark.suite.energy.components import contains_others
from joulemark.suite.energy.present_power import ComponentPower
from joulemark.suite.errors import MeasurementError
from joulemark.suite.records import Channel, Trace
from joulemark.suite.sensors import calibrations, trace_file
from joulemark.suite.sensors.base import POWERCAP_ROOT, Finding, SensorOptions, check_request, credentials_for
from joulemark.suite.system.directories import find_cache
from joulemark.suite.trial import processes

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
"""A sensor may block for good: the process is then killed."""
TAIL_BYTES = 32_768
"""More than all sensors write in a second."""
RECENT_S = 1.0
"""Ten updates of the slowest counters, 100 ms."""
MAX_SETTLING_S = 60.0
"""Longest wait for the machine to become idle, seconds."""
SETTLED_WITHIN = 0.02
"""Power has settled when it changes by less than this between two successive spans of 2 s."""
SETTLING_PERIOD_S = 0.5
SETTLING_SPAN = 4
"""Samples in a span."""


@dataclass
class Sampler:
    """The measuring process's handle on the sampler."""

    path: Path
    findings: tuple[Finding, ...]
    sensors: tuple[str, ...]
    """Names of those that are being read."""
    process: subprocess.Popen[str]

    @classmethod
    def start(
        cls,
        path: Path,
        origin_monotonic_s: float,
        sensors: Sequence[str] = (),
        powercap_root: str | None = None,
        environment: dict[str, str] | None = None,
    ) -> Sampler:
        """Start sampling into the trace file `path`, and wait until every sensor has been read once.

        Its times are relative to `origin_monotonic_s`, a time of CLOCK_MONOTONIC. `sensors` are requests such as `rapl`
        or `replay:FILE`; without any but those of the whole machine, all hardware is read, and an estimate if none of
        it reads the CPU. `powercap_root` and `environment` are by default those of this process. A machine without any
        sensor is no error: `findings` say why.

        Must be called from the main thread: the kernel ends the sampler when the thread that started it ends (prctl(2),
        PR_SET_PDEATHSIG). Raises UsageError for an unknown sensor or an argument that cannot be used, MeasurementError
        if the process does not start.
        """
        for sensor in sensors:
            check_request(sensor)
        environment = dict(os.environ if environment is None else environment)
        root = powercap_root or environment.get("JOULEMARK_POWERCAP_ROOT") or POWERCAP_ROOT
        update_periods = str(find_cache("ticks.json", environment) or "")
        options = SensorOptions(
            root,
            update_periods=update_periods,
            origin_monotonic_s=origin_monotonic_s,
            credentials=credentials_for(sensors, environment),
            calibrations=str(find_cache(calibrations.FILE_NAME, environment) or ""),
        )
        request = {"path": str(path), "sensors": list(sensors), "options": asdict(options)}
        process = processes.start_module("joulemark.suite.sensors.sampler_process", environment)
        try:
            answer = _handshake(process, request)
        except BaseException:
            processes.stop(process, timeout_s=0.0)
            raise
        findings = tuple(Finding(**finding) for finding in answer["findings"])
        return cls(path, findings, tuple(answer["sensors"]), process)

    def latest_power_w(self, measured: bool = False) -> float | None:
        """Return the sum of `latest_powers`, watts; None if there is none yet."""
        powers = self.latest_powers(measured)
        return sum(power.power_w for power in powers) if powers else None

    def latest_powers(self, measured: bool = False) -> list[ComponentPower]:
        """Return the power of each component over the last second.

        For a progress line, and to see whether the machine is idle; not for results. It only reads the end of the trace
        file. `measured`: only of sensors of this machine, and not of models or simulated ones.
        """
        try:
            with self.path.open("rb") as file:
                head = [entry for entry in _entries(file.read(TAIL_BYTES)) if "sensor" in entry]
                file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
                tail = [entry for entry in _entries(file.read(TAIL_BYTES)) if "v" in entry]
        except OSError:
            return []
        channels = [
            (trace, channel)
            for trace in trace_file.collect([*head, *tail])
            for channel in trace.channels
            if not measured or not (trace.simulated or channel.kind == "model")
        ]
        powers: dict[tuple[str, str], ComponentPower] = {}
        # A power channel is preferred to a counter, which moves by whole updates.
        for trace, channel in sorted(channels, key=lambda pair: pair[1].unit != "W"):
            power_w = _recent_power_w(trace, channel)
            if power_w is not None and not contains_others(channel.component):
                power = ComponentPower(channel.component, channel.scope, channel.kind, power_w)
                powers.setdefault((channel.component, channel.scope), power)
        return list(powers.values())

    def wait_until_settled(self) -> None:
        """Wait until power is flat: GPUs stay warm, and fans on, for a while after the last trial.

        Returns after one period where nothing is measured, since a model knows only the load, and after MAX_SETTLING_S
        in any case.
        """
        deadline_s = time.monotonic() + MAX_SETTLING_S
        powers_w: list[float] = []
        while time.monotonic() < deadline_s:
            time.sleep(SETTLING_PERIOD_S)
            power_w = self.latest_power_w(measured=True)
            if power_w is None:
                return
            powers_w = [*powers_w, power_w][-2 * SETTLING_SPAN :]
            earlier, later = sum(powers_w[:SETTLING_SPAN]), sum(powers_w[SETTLING_SPAN:])
            if len(powers_w) == 2 * SETTLING_SPAN and abs(later - earlier) <= SETTLED_WITHIN * max(earlier, later):
                return

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """End the sampling. The trace file is complete afterwards. Does nothing the second time."""
        processes.stop(self.process, STOP_TIMEOUT_S)

    def __enter__(self) -> Sampler:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _handshake(process: subprocess.Popen[str], request: dict[str, Any]) -> dict[str, Any]:
    """Send the request and return the answer. Raises MeasurementError if there is none."""
    processes.send_json(process, request)
    answer = processes.receive_json(process, READY_TIMEOUT_S)
    if answer is None:
        process.kill()
        assert process.stderr is not None
        reason = processes.last_line(process.stderr, processes.KILL_TIMEOUT_S)
        reason = reason or f"no answer in {READY_TIMEOUT_S:.0f} s"
        raise MeasurementError(f"the power sampler did not start: {reason}.")
    return answer


def _entries(block: bytes) -> list[dict[str, Any]]:
    """Return the sensors and the reads in `block`, without an incomplete first or last line."""
    lines = [line for line in block.split(b"\n") if line.endswith(b"}")]
    reads = [line for line in lines if line.startswith(b'{"i"') and b'"v"' in line]
    return [json.loads(line) for line in (*(line for line in lines if line.startswith(b'{"sensor"')), *reads)]


def _recent_power_w(trace: Trace, channel: Channel) -> float | None:
    """Return the mean power over the reads of the last `RECENT_S` and the one before, watts; None without any."""
    first = max(0, bisect_left(trace.t_s, trace.t_s[-1] - RECENT_S) - 1) if trace.t_s else 0
    reads = [(t, v) for t, v in zip(trace.t_s[first:], channel.values[first:], strict=True) if v is not None]
    if channel.unit == "W":
        return sum(value for _, value in reads) / len(reads) if reads else None
    if len(reads) < 2:
        return None
    (begin_s, begin_j), (end_s, end_j) = reads[0], reads[-1]
    return (end_j - begin_j) / (end_s - begin_s)
