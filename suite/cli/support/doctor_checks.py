"""What `joulemark doctor` looks at: sensors, devices, frameworks, and what else goes on on this machine."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from joulemark.suite.records import Gpu, Machine

Kind = Literal["sensor", "device", "framework", "machine"]

SENSOR_S = 1.0
"""How long the sensors are read for the cost of one read."""
SPIN_S = 0.5
INTERRUPTION_S = 0.001
"""A loop that only reads the clock and finds a millisecond gone was not running."""
FLOORS = 3
BUSY_LOAD = 0.1
"""Load average per core from which other programs are felt."""
STOLEN = 0.005
UNEVEN = 0.02

UNLIKE_CUDA = "Install a driver for its CUDA, or its build for the driver's CUDA (nvidia-smi names that)."
"""What to do where a framework that was built for boards sees none."""


@dataclass(frozen=True)
class Check:
    """One line of the doctor's answer; the fields are part of the `--json` contract."""

    kind: Kind
    name: str
    found: bool
    readable: bool
    """Whether it can be used; of the machine's surroundings, whether they are as they should be."""
    tick_s: float | None = None
    read_cost_s: float | None = None
    reason: str | None = None
    fix: str | None = None


def sensors() -> list[Check]:
    """Each sensor, read for a second by the sampler's own process as in a run."""
    from joulemark.suite.sensors import trace_file
    from joulemark.suite.sensors.sampler import Sampler

    with tempfile.TemporaryDirectory(prefix="joulemark-") as scratch:
        path = Path(scratch) / "trace"
        with Sampler.start(path, time.monotonic()) as sampler:
            time.sleep(SENSOR_S)
        cost_s = {trace.sensor: trace.read_cost_s for trace in trace_file.load(path)}
    return [
        Check(
            kind="sensor",
            name=finding.name,
            found=finding.found,
            readable=finding.readable,
            tick_s=finding.tick_s,
            read_cost_s=cost_s.get(finding.name, finding.read_cost_s) if finding.readable else None,
            reason=finding.reason,
            fix=finding.fix,
        )
        for finding in sampler.findings
    ]


def measured(checks: Sequence[Check]) -> bool:
    """Whether a sensor can be read that measures, and does not estimate."""
    from joulemark.suite.sensors.base import ESTIMATE

    return any(check.kind == "sensor" and check.readable and check.name != ESTIMATE for check in checks)


def devices(machine: Machine, reason: str | None) -> list[Check]:
    """The processor and each board; `reason` says why there is no board."""
    cpu = machine.cpu
    cores = f"{cpu.usable_cores:g} of {cpu.logical_cores} logical cores"
    found = [Check("device", "cpu", found=True, readable=True, reason=f"{cpu.model}, {cores}")]
    found += [_board(gpu, reason) for gpu in machine.gpus]
    if not machine.gpus:
        found.append(Check("device", "gpu", found=False, readable=False, reason=reason))
    return found


def _board(gpu: Gpu, reason: str | None) -> Check:
    if gpu.device is not None:
        return Check("device", gpu.device, found=True, readable=True, reason=f"{gpu.name}, {gpu.uuid}")
    hidden, fix = reason or "CUDA_VISIBLE_DEVICES leaves it out", f"CUDA_VISIBLE_DEVICES={gpu.uuid}"
    if gpu.vendor == "AMD":
        hidden = reason or "ROCR_, HIP_ or CUDA_VISIBLE_DEVICES leaves it out"
        fix = "unset ROCR_VISIBLE_DEVICES HIP_VISIBLE_DEVICES CUDA_VISIBLE_DEVICES"
    return Check("device", gpu.uuid, found=True, readable=False, reason=f"{gpu.name}: {hidden}", fix=fix)


def frameworks(machine: Machine) -> list[Check]:
    """Each framework: installed or not, and whether it was built for the boards there are."""
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    found = []
    for framework in FRAMEWORKS.values():
        info = machine.frameworks.get(framework.name)
        if info is None:
            reason, fix = f"{framework.title} is not installed", f"pip install 'joulemark[{framework.extra}]'"
            found.append(Check("framework", framework.name, found=False, readable=False, reason=reason, fix=fix))
            continue
        build = f", built for {info.build}" if info.build else ""
        text = f"{framework.title} {info.version}{build}, Python {info.python}"
        blind = any(gpu.device for gpu in machine.gpus) and all(device == "cpu" for device in info.devices)
        cure = None
        if blind:
            text += f"; it does not see the boards{f': {info.blind}' if info.blind else ''}"
            cure = "pip install 'joulemark[gpu]'" if info.build in ("", "cpu") else UNLIKE_CUDA
        found.append(Check("framework", framework.name, found=True, readable=True, reason=text, fix=cure))
    return found


def surroundings(environment: Mapping[str, str] = os.environ) -> list[Check]:
    """What else may move a result: other programs, the hypervisor, the scheduler, the machine itself, its supply."""
    return [_load(), _steal(), _jitter(), _floor(environment), _supply()]


def _quiet(name: str, good: bool, reason: str, fix: str) -> Check:
    return Check("machine", name, found=True, readable=good, reason=reason, fix=None if good else fix)


def _load() -> Check:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    reason = f"{load:.2f} programs wanted to run in the last minute, on {cores} cores"
    return _quiet("load", load / cores < BUSY_LOAD, reason, "Stop other programs.")


def _steal() -> Check:
    import psutil

    times = psutil.cpu_times_percent(interval=1.0)
    if not hasattr(times, "steal"):
        return Check("machine", "steal", found=False, readable=False, reason="this system does not count it")
    reason = f"the hypervisor kept {times.steal:.1f} % of the time for others"
    return _quiet("steal", times.steal / 100 < STOLEN, reason, "Use a machine, or a virtual one, of your own.")


def _jitter() -> Check:
    """The share of time that a busy loop was not running."""
    begin_s = last_s = time.perf_counter()
    lost_s = longest_s = 0.0
    while last_s - begin_s < SPIN_S:
        now_s = time.perf_counter()
        if now_s - last_s > INTERRUPTION_S:
            lost_s += now_s - last_s
            longest_s = max(longest_s, now_s - last_s)
        last_s = now_s
    share = lost_s / (last_s - begin_s)
    reason = f"a busy loop was kept from running for {share:.1%} of the time, at most {longest_s * 1e3:.1f} ms at once"
    return _quiet("jitter", share < STOLEN, reason, "Stop other programs; give the run cores of its own.")


def _floor(environment: Mapping[str, str]) -> Check:
    from joulemark.suite.errors import MeasurementError
    from joulemark.suite.trial import noise_floor

    try:
        passes = [noise_floor.measure(environment) for _ in range(FLOORS)]
    except MeasurementError as error:
        return Check("machine", "floor", found=False, readable=False, reason=str(error))
    spread = max(max(p[name] for p in passes) / min(p[name] for p in passes) - 1 for name in passes[0])
    reason = f"the same loop in {FLOORS} processes took times that differ by {spread:.1%}"
    fix = "Results cannot agree better than that: stop other programs, fix the clock, run more rounds."
    return _quiet("floor", spread < UNEVEN, reason, fix)


def _supply() -> Check:
    import psutil

    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None:
        return Check("machine", "supply", found=True, readable=True, reason="mains, or a supply that does not say")
    state = "mains" if battery.power_plugged else "battery"
    reason = f"on {state}, battery at {battery.percent:.0f} %"
    return _quiet(
        "supply", bool(battery.power_plugged), reason, "Plug the machine in: on battery it lowers its clocks."
    )
