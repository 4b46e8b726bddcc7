"""The sampler: a process of its own that reads every sensor while trials come and go.

    sampler = Sampler.start(path, origin_monotonic_s=time.monotonic())
    ...                                   # measure
    sampler.stop()
    traces.load(path)

It outlives all trials and dies with the process that started it. Each sensor has a thread, so that one that blocks
blocks only itself; reads are at absolute deadlines on CLOCK_MONOTONIC, which all processes of a machine share; each
is written at once, so that memory stays bounded and a kill loses nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joulemark
from joulemark.suite.energy.components import contains_others
from joulemark.suite.errors import MeasurementError
from joulemark.suite.sensors.base import POWERCAP_ROOT, Finding, check
from joulemark.suite.settings import home

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0
TAIL_BYTES = 32_768
"""More than all sensors write in a second."""
RECENT_S = 1.0
"""Ten updates of the slowest counters, 100 ms."""


@dataclass(frozen=True)
class Request:
    """What the sampler's process is asked to do: one JSON line on its standard input."""

    path: str
    origin_monotonic_s: float
    sensors: tuple[str, ...]
    """Requests such as `rapl` or `replay:FILE`; empty: the hardware there is, and the estimate where it needs one."""
    powercap_root: str
    ticks: str
    """File that probed ticks are kept in."""


@dataclass
class Sampler:
    """The handle that the measuring process holds."""

    path: Path
    findings: tuple[Finding, ...]
    """What was found of each sensor: why it is there or not."""
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
        """Start sampling into `path` and wait until every sensor has been read once.

        `sensors` are requests such as `rapl` or `replay:FILE`; empty, or with a `meter:FILE` alone: all hardware there
        is, and the estimate where none of it reads the processor. A machine
        without any is no error: `findings` say why. To be called from the main thread: the kernel ends the sampler
        when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG). UsageError for an unknown sensor;
        MeasurementError where the process
        does not start.
        """
        for sensor in sensors:
            check(sensor)
        environment = dict(os.environ if environment is None else environment)
        root = powercap_root or environment.get("JOULEMARK_POWERCAP_ROOT") or POWERCAP_ROOT
        request = Request(str(path), origin_monotonic_s, tuple(sensors), root, str(home(environment) / "ticks.json"))
        # -P keeps the current directory out of the module path; the suite itself may not be installed.
        house = str(Path(joulemark.__file__).resolve().parents[1])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [house, environment.get("PYTHONPATH")]))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "joulemark.suite.sensors.sampler_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the run, which then stops its sampler itself
        )
        try:
            answer = _handshake(process, request)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        findings = tuple(Finding(**finding) for finding in answer["findings"])
        return cls(path, findings, tuple(answer["sensors"]), process)

    def latest_power_w(self) -> float | None:
        """Power that all sensors showed over the last second, watts, for a progress line and to see whether the machine
        is at rest; None where there is none yet.

        It only reads the end of the trace file. Overlapping sensors are not told apart: not for results.
        """
        return _latest_power_w(self.path)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the sampling. The trace file is complete afterwards. Does nothing the second time."""
        if self.process.stdin and not self.process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it has died already
                self.process.stdin.close()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:  # a sensor that blocks for good
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    def __enter__(self) -> Sampler:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _handshake(process: subprocess.Popen[str], request: Request) -> dict[str, Any]:
    """Send the request, wait for the answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        process.stdin.write(json.dumps(asdict(request)) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], READY_TIMEOUT_S)
        line = process.stdout.readline() if ready else ""
    except BrokenPipeError:
        line = ""
    if line:
        answer: dict[str, Any] = json.loads(line)
        return answer
    process.kill()
    complaint = process.stderr.read().strip().rpartition("\n")[2]
    raise MeasurementError(f"the power sampler did not start: {complaint or f'no answer in {READY_TIMEOUT_S:.0f} s'}.")


def _latest_power_w(path: Path) -> float | None:
    """Sum over sensors and components of the power over the file's last second."""
    try:
        with path.open("rb") as file:
            head = [json.loads(line) for line in _whole_lines(file.read(TAIL_BYTES)) if b'"channels"' in line]
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            tail = file.read(TAIL_BYTES)
    except OSError:
        return None
    reads: dict[int, list[dict[str, Any]]] = {}
    for line in _whole_lines(tail):
        if line.startswith(b'{"i"') and b'"v"' in line:
            entry = json.loads(line)
            reads.setdefault(entry["i"], []).append(entry)
    powers = [w for sensor in head for w in _powers_w(sensor["channels"], _recent(reads.get(sensor["sensor"], [])))]
    return sum(powers) if powers else None


def _whole_lines(block: bytes) -> list[bytes]:
    """The lines of `block` that are whole: neither its first part nor its last may be."""
    return [line for line in block.split(b"\n") if line.startswith(b"{") and line.endswith(b"}")]


def _recent(reads: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The reads of the last `RECENT_S`, and the one before: at least two where there are two."""
    if not reads:
        return reads
    old = sum(read["t"] < reads[-1]["t"] - RECENT_S for read in reads[:-1])
    return reads[max(0, old - 1) :]


def _powers_w(channels: Sequence[dict[str, Any]], reads: Sequence[dict[str, Any]]) -> list[float]:
    """Mean power of each part over `reads`, from its power before its counter, which moves by whole updates; nothing
    for what contains other parts."""
    powers: dict[tuple[str, str], float] = {}
    for number, channel in sorted(enumerate(channels), key=lambda pair: pair[1]["unit"] != "W"):
        found = [(read["t"], read["v"][number]) for read in reads if read["v"][number] is not None]
        part = channel["component"], channel["scope"]
        if part in powers or contains_others(channel["component"]) or not found:
            continue
        (begin_s, begin), (end_s, end) = found[0], found[-1]
        if channel["unit"] == "W":
            powers[part] = sum(value for _, value in found) / len(found)
        elif end >= begin and end_s > begin_s:
            powers[part] = (end - begin) / (end_s - begin_s)
    return list(powers.values())
