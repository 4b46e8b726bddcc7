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
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from joulemark.suite.energy.components import contains_others
from joulemark.suite.errors import MeasurementError
from joulemark.suite.sensors.base import POWERCAP_ROOT, Finding, SensorOptions, check_request
from joulemark.suite.system.directories import find_cache
from joulemark.suite.trial import processes

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
"""A sensor may block for good: the process is then killed."""
TAIL_BYTES = 32_768
"""More than all sensors write in a second."""
RECENT_S = 1.0
"""Ten updates of the slowest counters, 100 ms."""


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
        or `replay:FILE`; if there is none but `meter:FILE`, all hardware is read, and an estimate if none of it reads
        the CPU. `powercap_root` and `environment` are by default those of this process. A machine without any sensor is
        no error: `findings` say why.

        Must be called from the main thread: the kernel ends the sampler when the thread that started it ends (prctl(2),
        PR_SET_PDEATHSIG). Raises UsageError for an unknown sensor or an argument that cannot be used, MeasurementError
        if the process does not start.
        """
        for sensor in sensors:
            check_request(sensor)
        environment = dict(os.environ if environment is None else environment)
        root = powercap_root or environment.get("JOULEMARK_POWERCAP_ROOT") or POWERCAP_ROOT
        update_periods = str(find_cache("ticks.json", environment) or "")
        options = SensorOptions(root, update_periods=update_periods, origin_monotonic_s=origin_monotonic_s)
        request = {"path": str(path), "sensors": list(sensors), "options": asdict(options)}
        process = processes.start_module("joulemark.suite.sensors.sampler_process", environment)
        try:
            answer = _handshake(process, request)
        except BaseException:
            processes.stop(process, timeout_s=0.0)
            raise
        findings = tuple(Finding(**finding) for finding in answer["findings"])
        return cls(path, findings, tuple(answer["sensors"]), process)

    def latest_power_w(self) -> float | None:
        """Return the power that all sensors showed over the last second, watts; None if there is none yet.

        For a progress line, and to see whether the machine is idle; not for results, since overlapping sensors are not
        told apart. It only reads the end of the trace file.
        """
        try:
            with self.path.open("rb") as file:
                head = [json.loads(line) for line in _complete_lines(file.read(TAIL_BYTES)) if b'"channels"' in line]
                file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
                tail = file.read(TAIL_BYTES)
        except OSError:
            return None
        reads: dict[int, list[dict[str, Any]]] = {}
        for line in _complete_lines(tail):
            if line.startswith(b'{"i"') and b'"v"' in line:
                entry = json.loads(line)
                reads.setdefault(entry["i"], []).append(entry)
        powers = [w for sensor in head for w in _powers_w(sensor["channels"], _recent(reads.get(sensor["sensor"], [])))]
        return sum(powers) if powers else None

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
        last_line = process.stderr.read().strip().rpartition("\n")[2]
        reason = last_line or f"no answer in {READY_TIMEOUT_S:.0f} s"
        raise MeasurementError(f"the power sampler did not start: {reason}.")
    return answer


def _complete_lines(block: bytes) -> list[bytes]:
    """Return the lines of `block` without an incomplete first or last one."""
    return [line for line in block.split(b"\n") if line.startswith(b"{") and line.endswith(b"}")]


def _recent(reads: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Return the reads of the last `RECENT_S`, and the one before: at least two if there are two."""
    if not reads:
        return reads
    old = sum(read["t"] < reads[-1]["t"] - RECENT_S for read in reads[:-1])
    return reads[max(0, old - 1) :]


def _powers_w(channels: Sequence[dict[str, Any]], reads: Sequence[dict[str, Any]]) -> list[float]:
    """Return the mean power of each component over `reads`, without components that contain others. A power channel is
    preferred to a counter, which moves by whole updates."""
    powers: dict[tuple[str, str], float] = {}
    for number, channel in sorted(enumerate(channels), key=lambda pair: pair[1]["unit"] != "W"):
        values = [(read["t"], read["v"][number]) for read in reads if read["v"][number] is not None]
        component = channel["component"], channel["scope"]
        if component in powers or contains_others(channel["component"]) or not values:
            continue
        (begin_s, begin), (end_s, end) = values[0], values[-1]
        if channel["unit"] == "W":
            powers[component] = sum(value for _, value in values) / len(values)
        elif end >= begin and end_s > begin_s:
            powers[component] = (end - begin) / (end_s - begin_s)
    return list(powers.values())
