"""The sensor `nvml`: NVIDIA's GPUs through NVML (nvidia-ml-py, imported as `pynvml`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from joulemark.suite.records import GpuState
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions, median_cost_s
from joulemark.suite.sensors.gpus.nvml_gpu import NvmlGpu, open_gpu
from joulemark.suite.sensors.gpus.vendor_libraries import LibraryMissing, optional, start_nvml
from joulemark.suite.sensors.update_period import with_update_periods

THROTTLE_REASONS = {0x4: "power_cap", 0x8: "slowdown", 0x20: "thermal", 0x40: "thermal", 0x80: "power_brake"}
"""Bits of nvmlDeviceGetCurrentClocksEventReasons that hold clocks below what the load could use (nvml.h)."""


class NvmlSensor(Sensor):
    """All GPUs of the machine, NVML held open."""

    name = "nvml"

    def __init__(self, nvml: Any, gpus: Sequence[NvmlGpu]) -> None:
        super().__init__([channel for gpu in gpus for channel in gpu.channels])
        self._nvml = nvml
        self._gpus = gpus

    def read(self) -> list[float | None]:
        return [value for gpu in self._gpus for value in gpu.read()]

    def states(self) -> tuple[GpuState, ...]:
        return tuple(_state(self._nvml, gpu) for gpu in self._gpus)

    def close(self) -> None:
        self._nvml.nvmlShutdown()


def _state(nvml: Any, gpu: NvmlGpu) -> GpuState:
    def ask(name: str, *arguments: Any) -> Any:
        return optional(nvml.NVMLError, getattr(nvml, name), gpu.handle, *arguments)

    def ask_either(new: str, old: str) -> Any:
        """Return the result of a call, under its older name if the driver does not know the newer."""
        return value if (value := ask(new)) is not None else ask(old)

    bits = ask_either("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
    limit_mw = ask("nvmlDeviceGetEnforcedPowerLimit")
    # Called without their version, pynvml raises what is no NVMLError if the driver is too old.
    processes = ask_either("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2")
    throttled = None
    if bits is not None:
        throttled = tuple(sorted({name for bit, name in THROTTLE_REASONS.items() if bits & bit}))
    return GpuState(
        t_s=0.0,
        scope=gpu.uuid,
        temperature_c=ask("nvmlDeviceGetTemperature", nvml.NVML_TEMPERATURE_GPU),
        sm_clock_mhz=ask("nvmlDeviceGetClockInfo", nvml.NVML_CLOCK_SM),
        memory_clock_mhz=ask("nvmlDeviceGetClockInfo", nvml.NVML_CLOCK_MEM),
        power_limit_w=limit_mw / 1000 if limit_mw is not None else None,
        throttled=throttled,
        processes=len(processes) if processes is not None else None,
    )


def find(options: SensorOptions) -> FindResult:
    """Open every GPU that reports energy or power."""
    try:
        nvml = start_nvml()
    except LibraryMissing as missing:
        return FindResult(None, (Finding("nvml", found=False, readable=False, reason=str(missing), fix=missing.fix),))
    gpus: list[NvmlGpu] = []
    refused: list[Finding] = []
    for index in range(optional(nvml.NVMLError, nvml.nvmlDeviceGetCount) or 0):
        try:
            gpus.append(open_gpu(nvml, index))
        except nvml.NVMLError as error:
            refused.append(Finding(f"nvml GPU {index}", found=True, readable=False, reason=f"NVML: {error}"))
    driver = optional(nvml.NVMLError, nvml.nvmlSystemGetDriverVersion)
    path = Path(options.update_periods) if options.update_periods else None
    channels, reads = [c for gpu in gpus for c in gpu.channels], [read for gpu in gpus for read in gpu.reads]
    channels = with_update_periods(channels, reads, driver, path)
    for gpu in gpus:
        gpu.channels = [channel for channel in channels if channel.scope == gpu.uuid]
    findings = (*(_finding(gpu) for gpu in gpus), *refused)
    readable = [gpu for gpu in gpus if gpu.reads]
    if not readable:
        nvml.nvmlShutdown()
        nothing = Finding("nvml", found=False, readable=False, reason="NVML finds no GPU")
        return FindResult(None, findings or (nothing,))
    return FindResult(NvmlSensor(nvml, readable), findings)


def _finding(gpu: NvmlGpu) -> Finding:
    finding = partial(Finding, f"nvml {gpu.uuid}", found=True)
    if not gpu.reads:
        return finding(readable=False, reason=f"{gpu.name}: neither energy nor power: {'; '.join(gpu.reasons)}")
    return finding(
        readable=True,
        reason=f"{gpu.name}: {', '.join(channel.call for channel in gpu.channels)}",
        tick_s=max((channel.tick_s for channel in gpu.channels if channel.tick_s is not None), default=None),
        read_cost_s=median_cost_s(gpu.read),
    )
