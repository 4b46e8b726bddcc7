"""The checks of `joulemark doctor` but for sensors: devices, frameworks, and what else runs on the machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from joulemark.suite.errors import MeasurementError
from joulemark.suite.plan import kept_effort
from joulemark.suite.records import Gpu, Machine
from joulemark.suite.trial import noise_floor
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.frameworks.problem import find_problem
from joulemark.suite.units import counted

Kind = Literal["sensor", "device", "framework", "machine"]
SPIN_S = 0.5
INTERRUPTION_S = 0.001
"""A loop that reads only the clock was interrupted if it misses a millisecond."""
FLOOR_PROCESSES = 3
MAX_LOAD = 0.1
"""Load average per core from which other programs disturb a measurement."""
MAX_STOLEN = 0.005
MAX_SPREAD = 0.02
CUDA_MISMATCH_FIX = "Install a driver for its CUDA, or its build for the driver's CUDA (nvidia-smi names that)."
"""For a framework that was built for GPUs but sees none."""


@dataclass(frozen=True)
class Check:
    """One line of the doctor's answer; the fields are part of the `--json` contract."""

    kind: Kind
    name: str
    found: bool
    readable: bool
    """Whether it can be used; for a check of the machine, whether it is as it should be."""
    tick_s: float | None = None
    read_cost_s: float | None = None
    reason: str | None = None
    fix: str | None = None


def device_checks(machine: Machine, no_gpu_reason: str | None) -> list[Check]:
    """Return a check for the CPU and each GPU; `no_gpu_reason` says why there is none."""
    cpu = machine.cpu
    cores = f"{cpu.usable_cores:g} of {cpu.logical_cores} logical cores"
    checks = [Check("device", "cpu", found=True, readable=True, reason=f"{cpu.model}, {cores}")]
    checks += [_gpu_check(gpu, no_gpu_reason) for gpu in machine.gpus]
    if not machine.gpus:
        checks.append(Check("device", "gpu", found=False, readable=False, reason=no_gpu_reason))
    return checks


def _gpu_check(gpu: Gpu, reason: str | None) -> Check:
    if gpu.device is not None:
        return Check("device", gpu.device, found=True, readable=True, reason=f"{gpu.name}, {gpu.uuid}")
    hidden, fix = reason or "CUDA_VISIBLE_DEVICES leaves it out", f"CUDA_VISIBLE_DEVICES={gpu.uuid}"
    if gpu.vendor == "AMD":
        hidden = reason or "ROCR_, HIP_ or CUDA_VISIBLE_DEVICES leaves it out"
        fix = "unset ROCR_VISIBLE_DEVICES HIP_VISIBLE_DEVICES CUDA_VISIBLE_DEVICES"
    return Check("device", gpu.uuid, found=True, readable=False, reason=f"{gpu.name}: {hidden}", fix=fix)


def framework_checks(machine: Machine, pythons: Mapping[str, str]) -> list[Check]:
    """Return a check per framework: whether it is installed and works, and whether it sees the GPUs there are.

    `pythons` are the interpreters by framework.
    """
    has_gpu = any(gpu.device for gpu in machine.gpus)
    checks = []
    for framework in FRAMEWORKS.values():
        name, info = framework.name, machine.frameworks.get(framework.name)
        problem = find_problem(framework, info, pythons.get(name))
        if problem is not None:
            is_found = info is not None
            checks.append(Check("framework", name, is_found, readable=False, reason=problem.reason, fix=problem.fix))
            continue
        assert info is not None  # it has no problem
        build = f", built for {info.build}" if info.build else ""
        reason, gpu_fix = f"{framework.title} {info.version}{build}, Python {info.python}", None
        if has_gpu and all(device == "cpu" for device in info.devices):
            reason += f"; it does not see the GPUs{f': {info.blind}' if info.blind else ''}"
            gpu_fix = "pip install 'joulemark[gpu]'" if info.build in ("", "cpu") else CUDA_MISMATCH_FIX
        checks.append(Check("framework", name, found=True, readable=True, reason=reason, fix=gpu_fix))
    return checks


def machine_checks() -> list[Check]:
    """Return checks of what else affects a result: other programs, hypervisor, scheduler, noise floor, power supply."""
    checks = {"load": _load, "steal": _steal, "jitter": _jitter, "supply": _power_supply, "floor": _noise_floor}
    return [_guarded(name, check) for name, check in checks.items()]


def calibration_check(machine: Machine) -> Check:
    """Return which effort `joulemark calibrate` has chosen for this machine."""
    kept = kept_effort.load(machine)
    if not kept:
        fix = "joulemark calibrate"
        reason = "none for this machine: profile ci measures with its own window and rounds"
        return Check("machine", "calibration", found=False, readable=False, reason=reason, fix=fix)
    newest = kept[0]
    reason = (
        f"profile ci measures {counted(newest.rounds, 'round')} with windows of {newest.window_s:g} s after "
        f"{newest.warmup_s:g} s of warm-up on the CPU, for {counted(len(newest.cases), 'case')}, chosen on "
        f"{newest.made_at[:10]}; a slow-down of {newest.detects:.1%} is found in 4 of 5"
    )
    return Check("machine", "calibration", found=True, readable=True, reason=reason)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """Return the result of `check`, or that it cannot be made."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001  a container may hide any part of /proc and /sys
        reason = f"this system does not report it ({type(error).__name__}: {error})"
        return Check("machine", name, found=False, readable=False, reason=reason)


def _machine_check(name: str, good: bool, reason: str, fix: str) -> Check:
    return Check("machine", name, found=True, readable=good, reason=reason, fix=None if good else fix)


def _load() -> Check:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    reason = f"load average {load:.2f} over the last minute, on {cores} cores"
    return _machine_check("load", load / cores < MAX_LOAD, reason, "Stop other programs.")


def _steal() -> Check:
    import psutil

    times = psutil.cpu_times_percent(interval=1.0)
    if not hasattr(times, "steal"):
        return Check("machine", "steal", found=False, readable=False, reason="this system does not report it")
    reason = f"the hypervisor gave {times.steal:.1f} % of the time to other guests"
    return _machine_check("steal", times.steal / 100 < MAX_STOLEN, reason, "Use a dedicated (virtual) machine.")


def _jitter() -> Check:
    """Check the share of time that a busy loop was interrupted."""
    begin_s = last_s = time.perf_counter()
    lost_s = longest_s = 0.0
    while last_s - begin_s < SPIN_S:
        now_s = time.perf_counter()
        if now_s - last_s > INTERRUPTION_S:
            lost_s += now_s - last_s
            longest_s = max(longest_s, now_s - last_s)
        last_s = now_s
    share = lost_s / (last_s - begin_s)
    reason = f"a busy loop was interrupted for {share:.1%} of the time, for up to {longest_s * 1e3:.1f} ms"
    return _machine_check("jitter", share < MAX_STOLEN, reason, "Stop other programs; dedicate cores to the run.")


def _noise_floor() -> Check:
    try:
        times = [noise_floor.measure(os.environ) for _ in range(FLOOR_PROCESSES)]
    except MeasurementError as error:
        return Check("machine", "floor", found=False, readable=False, reason=str(error))
    spread = max(max(t[name] for t in times) / min(t[name] for t in times) - 1 for name in times[0])
    reason = f"the times of one loop in {FLOOR_PROCESSES} processes differ by {spread:.1%}"
    fix = "Results cannot agree better than that: stop other programs, fix the clock, run more rounds."
    return _machine_check("floor", spread < MAX_SPREAD, reason, fix)


def _power_supply() -> Check:
    import psutil

    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None:
        return Check("machine", "supply", found=True, readable=True, reason="mains, or a supply that is not reported")
    source = "mains" if battery.power_plugged else "battery"
    reason = f"on {source}, battery at {battery.percent:.0f} %"
    return _machine_check(
        "supply", bool(battery.power_plugged), reason, "Plug the machine in: on battery it lowers its clocks."
    )
