"""The machine's GPUs, as NVML and amdsmi list them, each with the frameworks' name for it (`cuda:N`)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joulemark.suite.records import Gpu
from joulemark.suite.sensors.gpus.amd_gpus import KFD, amd_gpus
from joulemark.suite.sensors.gpus.cuda_devices import cuda_devices
from joulemark.suite.sensors.gpus.vendor_libraries import LibraryMissing, optional, start_nvml


@dataclass(frozen=True)
class GpuInventory:
    """The GPUs that were found."""

    gpus: tuple[Gpu, ...]
    reason: str | None
    """Why there is none, or why they could not be matched to the frameworks' devices; None if all is well."""
    mig_instances: Mapping[str, Gpu] = field(default_factory=dict)
    """The GPU of each MIG instance, by the instance's UUID."""

    def with_device_numbers(self, uuids: Sequence[str]) -> tuple[Gpu, ...]:
        """Return the GPUs, numbered as by a framework that sees `uuids`.

        They are returned unchanged if `uuids` is empty or names a GPU that is not here. CUDA's UUIDs have no prefix,
        and that of a MIG instance is the instance's own.
        """
        owners = {gpu.uuid.removeprefix("GPU-"): gpu for gpu in self.gpus}
        owners |= {uuid.removeprefix("MIG-"): gpu for uuid, gpu in self.mig_instances.items()}
        if not uuids or any(uuid not in owners for uuid in uuids):
            return self.gpus
        devices = {owners[uuid].uuid: f"cuda:{number}" for number, uuid in enumerate(uuids)}
        return _with_devices(self.gpus, devices)


def discover(environment: Mapping[str, str] = os.environ, kfd: Path = KFD) -> GpuInventory:
    """Return all GPUs, with a device for each that `environment` shows; amdsmi is used only if `kfd` exists."""
    nvidia, amd = _nvidia_gpus(environment), amd_gpus(environment, kfd)
    if not amd or not nvidia.gpus:
        return GpuInventory(amd, None) if amd else nvidia
    # A framework is built for the GPUs of one vendor: where NVIDIA's driver works, for NVIDIA's.
    beside = f"{len(amd)} AMD GPU(s) beside NVIDIA's are listed without a device"
    reason = "; ".join(filter(None, [nvidia.reason, beside]))
    return GpuInventory((*nvidia.gpus, *_with_devices(amd, {})), reason, nvidia.mig_instances)


def _with_devices(gpus: Sequence[Gpu], devices: Mapping[str, str]) -> tuple[Gpu, ...]:
    return tuple(gpu.model_copy(update={"device": devices.get(gpu.uuid)}) for gpu in gpus)


def _nvidia_gpus(environment: Mapping[str, str]) -> GpuInventory:
    try:
        nvml = start_nvml()
    except LibraryMissing as missing:
        return GpuInventory((), str(missing))
    gpus, reasons = [], []
    try:
        for index in range(optional(nvml.NVMLError, nvml.nvmlDeviceGetCount) or 0):
            try:
                gpus.append(_nvidia_gpu(nvml, index))
            except nvml.NVMLError as error:
                reasons.append(f"GPU {index}: {error}")
        mig_instances = _mig_instances(nvml, gpus)
    finally:
        nvml.nvmlShutdown()
    if not gpus:
        return GpuInventory((), "; ".join(reasons) or "NVML finds no GPU")
    devices, reason = cuda_devices(gpus, environment, mig_instances)
    reasons += [reason] if reason else []
    return GpuInventory(_with_devices(gpus, devices), "; ".join(reasons) or None, mig_instances)


def _nvidia_gpu(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    mig = optional(nvml.NVMLError, nvml.nvmlDeviceGetMigMode, handle)
    limit_mw = optional(nvml.NVMLError, nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    memory = optional(nvml.NVMLError, nvml.nvmlDeviceGetMemoryInfo, handle)
    return Gpu(
        index=index,
        vendor="NVIDIA",
        name=_text(nvml.nvmlDeviceGetName(handle)),
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        pci_bus_id=_text(nvml.nvmlDeviceGetPciInfo(handle).busId).lower(),
        memory_bytes=int(memory.total) if memory is not None else None,
        driver=_text(nvml.nvmlSystemGetDriverVersion()),
        power_limit_w=limit_mw / 1000 if limit_mw is not None else None,
        mig=bool(mig[0]) if mig is not None else False,
    )


def _mig_instances(nvml: Any, gpus: Sequence[Gpu]) -> dict[str, Gpu]:
    parents: dict[str, Gpu] = {}
    for gpu in gpus:
        handle = nvml.nvmlDeviceGetHandleByIndex(gpu.index)
        for number in range(optional(nvml.NVMLError, nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
            instance = optional(nvml.NVMLError, nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, number)
            if instance is not None:
                parents[_text(nvml.nvmlDeviceGetUUID(instance))] = gpu
    return parents


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
