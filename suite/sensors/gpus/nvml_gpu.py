"""One NVIDIA GPU through NVML: the energy and power calls that it supports, as channels.

For each GPU: its total-energy counter (Volta and newer; tried by calling, not by architecture) and its power. Instant
power (field 186) is preferred to average power (field 185); the last resort is nvmlDeviceGetPowerUsage, which on Ampere
(except GA100) and newer is an average over 1 s (NVML API reference, nvmlDeviceGetPowerUsage). In a module with a
processor (GH200, GB200, GB300) also the power of the whole module: tried by calling, not by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from joulemark.suite.records import Channel
from joulemark.suite.sensors.gpus.vendor_libraries import optional

POWER_AVERAGE = 185
POWER_INSTANT = 186
SCOPE_MODULE = 1  # nvml.h, NVML_POWER_SCOPE_MODULE
VOLTA, TURING, AMPERE, ADA, HOPPER = 5, 6, 7, 8, 9  # nvml.h, nvmlDeviceArchitecture_t
GA100_CAPABILITY = (8, 0)
VALUE_MEMBERS = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")  # nvml.h, nvmlValueType_t 0 to 6
# Yang, Adamek, Armour, "Accurate and Convenient Energy Measurements for GPUs", SC24 (arXiv 2312.02741): a gain error
# within about 5 % on recent GPUs (A100 -5.5 %, RTX 4090 -4.3 %), constant on one GPU.
ERROR_RANGE = (1 / 1.055, 1 / 0.945)
ERROR_SOURCE = "+-5.5 % (arXiv 2312.02741)"
UNKNOWN_COVERAGE = 0.25
"""For architectures that the paper has not measured: the least that it found on any data-centre GPU but one."""
Call = Callable[[], float]
Read = Callable[[], float | None]


@dataclass
class NvmlGpu:
    """One GPU and the reads that work on it."""

    handle: Any
    uuid: str
    name: str
    coverage: float
    limit_w: float | None
    highest_limit_w: float | None
    channels: list[Channel] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    """One for each channel, in its unit; None for a missed read."""
    reasons: list[str] = field(default_factory=list)
    """Why other calls do not work."""

    def read(self) -> list[float | None]:
        return [read() for read in self.reads]

    def add_if_supported(
        self, nvml: Any, call: Call, unit: Literal["J", "W"], source: str, average_s: float, component: str = "gpu"
    ) -> bool:
        """Add a channel for `call` (mJ or mW) if it works now. A failure later (a lost GPU) is a missed read."""
        try:
            call()
        except nvml.NVMLError as error:
            self.reasons.append(f"{source}: {error}")
            return False

        def read() -> float | None:
            try:
                return call() / 1000
            except nvml.NVMLError:
                return None

        self.channels.append(
            Channel(
                component=component,
                scope=self.uuid,
                unit=unit,
                kind="counter" if unit == "J" else "integrated",
                average_s=average_s,
                coverage=self.coverage,
                limit_w=self.limit_w if component == "gpu" else None,
                highest_limit_w=self.highest_limit_w if component == "gpu" else None,
                gain=ERROR_RANGE,
                source=f"{source}; gain {ERROR_SOURCE}",
            )
        )
        self.reads.append(read)
        return True


def open_gpu(nvml: Any, index: int) -> NvmlGpu:
    """Return GPU `index` with every read that works, tried by calling each. Raises NVMLError for a lost GPU."""
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    ask = partial(optional, nvml.NVMLError)
    name = str(nvml.nvmlDeviceGetName(handle))
    architecture = ask(nvml.nvmlDeviceGetArchitecture, handle)
    capability = ask(nvml.nvmlDeviceGetCudaComputeCapability, handle)
    is_ga100 = capability is not None and tuple(capability) == GA100_CAPABILITY
    limit_mw = ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    limit_w = limit_mw / 1000 if limit_mw is not None else None
    limits_mw = ask(nvml.nvmlDeviceGetPowerManagementLimitConstraints, handle)
    gpu = NvmlGpu(
        handle=handle,
        uuid=str(nvml.nvmlDeviceGetUUID(handle)),
        name=name,
        coverage=coverage(architecture, is_ga100, name),
        limit_w=limit_w,
        highest_limit_w=limits_mw[1] / 1000 if limits_mw is not None else None,
    )
    energy = partial(nvml.nvmlDeviceGetTotalEnergyConsumption, handle)
    gpu.add_if_supported(nvml, energy, "J", "nvmlDeviceGetTotalEnergyConsumption", 0.0)
    # For an unknown architecture, the worse of the two.
    average_s = 1.0 if architecture is None or capability is None or (architecture >= AMPERE and not is_ga100) else 0.0
    label = ", an average over 1 s" if average_s else ""
    for call, source, seconds in (
        (partial(_field, nvml, handle, POWER_INSTANT), "NVML field 186, instant power", 0.0),
        (partial(_field, nvml, handle, POWER_AVERAGE), "NVML field 185, power averaged over 1 s", 1.0),
        (partial(nvml.nvmlDeviceGetPowerUsage, handle), f"nvmlDeviceGetPowerUsage{label}", average_s),
    ):
        if gpu.add_if_supported(nvml, call, "W", source, seconds):
            break
    module = partial(_field, nvml, handle, (POWER_INSTANT, SCOPE_MODULE))
    source = "NVML field 186, module scope: CPU and GPU"
    if (ask(module) or 0.0) > 0 and gpu.add_if_supported(nvml, module, "W", source, 0.0, component="module"):
        # The counter may be the module's (`suite.energy.module_scope`), to which the GPU's limit does not apply.
        no_limit = {"limit_w": None, "highest_limit_w": None}
        gpu.channels = [c.model_copy(update=no_limit) if c.unit == "J" else c for c in gpu.channels]
    return gpu


def coverage(architecture: int | None, is_ga100: bool, name: str) -> float:
    """Return the share of the time that the GPU's power sensor observes (arXiv 2312.02741).

    It is 25 of 100 ms on A100 and H100, 10 of 20 ms on V100, 20 of 100 ms on Quadro RTX 8000, and all of it on GeForce
    GPUs of Turing, Ampere and Ada. The counter is taken to be made from the same samples.
    """
    if is_ga100 or architecture == HOPPER:
        return 0.25
    if architecture == VOLTA:
        return 0.5
    if architecture == TURING and "RTX 8000" in name:
        return 0.2
    return 1.0 if architecture in (TURING, AMPERE, ADA) else UNKNOWN_COVERAGE


def _field(nvml: Any, handle: Any, number: int | tuple[int, int]) -> float:
    """Return the value of one field, mW. Each field has its own return code; raises NVMLError unless it is success."""
    value = nvml.nvmlDeviceGetFieldValues(handle, [number])[0]
    if value.nvmlReturn != 0:
        raise nvml.NVMLError(value.nvmlReturn)
    if not 0 <= value.valueType < len(VALUE_MEMBERS):
        raise nvml.NVMLError(nvml.NVML_ERROR_UNKNOWN)
    return float(getattr(value.value, VALUE_MEMBERS[value.valueType]))
