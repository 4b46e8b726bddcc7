"""The machine's GPUs, as NVML and amdsmi list them, each with the frameworks' name for it (`cuda:N`).

NVML lists all GPUs in PCI bus order; CUDA numbers those that CUDA_VISIBLE_DEVICES leaves, in an order of its own (CUDA
C Programming Guide, "CUDA Environment Variables"). They are therefore matched by UUID or PCI bus id, never by number.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from joulemark.suite.records import Gpu
from joulemark.suite.sensors.gpus.amd_gpus import KFD, amd_gpus
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


DIFFERENT_MODELS = (
    "CUDA numbers GPUs of several models in an order of its own, fastest first: "
    "set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name GPUs by UUID in CUDA_VISIBLE_DEVICES"
)

SPLIT = (
    "a GPU is split (MIG), and CUDA then shows a single instance: "
    "name the one to use by its UUID in CUDA_VISIBLE_DEVICES (nvidia-smi -L)"
)


def cuda_devices(
    gpus: Sequence[Gpu], environment: Mapping[str, str], mig_instances: Mapping[str, Gpu] = MappingProxyType({})
) -> tuple[dict[str, str], str | None]:
    """Return the `cuda:N` of each GPU that CUDA shows, by UUID, and the reason if that is not certain.

    `mig_instances` maps the UUID of each MIG instance to its GPU. CUDA stops at the first entry that names no device,
    and shows at most one MIG instance, without any whole GPU beside it (NVIDIA, "MIG User Guide", CUDA device
    enumeration).
    """
    numbered, reason = _numbered(gpus, environment, mig_instances)
    selection = environment.get("CUDA_VISIBLE_DEVICES")
    if selection is None:
        return ({}, reason) if numbered is None else (_names(numbered), None)
    chosen: list[Gpu] = []
    for entry in (entry.strip() for entry in selection.split(",")):
        gpu: Gpu | None = None
        if not entry.lstrip("-").isdigit():
            gpu = _by_uuid(gpus, entry, mig_instances)
        elif numbered is None:
            return {}, reason
        elif 0 <= int(entry) < len(numbered):
            gpu = numbered[int(entry)]
        if gpu is None or gpu in chosen:
            break
        chosen.append(gpu)
    return _names(chosen), None


def _numbered(
    gpus: Sequence[Gpu], environment: Mapping[str, str], mig_instances: Mapping[str, Gpu]
) -> tuple[Sequence[Gpu] | None, str]:
    """Return the GPUs in CUDA's order, or None if that is not known, and why it would not be."""
    split = {gpu.uuid for gpu in mig_instances.values()}
    # A GPU in MIG mode without an instance is no CUDA device.
    usable = [gpu for gpu in gpus if not gpu.mig or gpu.uuid in split]
    if split and len(usable) > 1:
        # Which instance CUDA shows, and what numbers then mean, is not documented.
        certain = len(split) == 1 and "CUDA_VISIBLE_DEVICES" not in environment
        return [gpu for gpu in usable if gpu.uuid in split] if certain else None, SPLIT
    # With GPUs of one model, CUDA's order "fastest first" is the bus order.
    bus_order = environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or len({gpu.name for gpu in usable}) <= 1
    return usable if bus_order else None, DIFFERENT_MODELS


def _names(gpus: Sequence[Gpu]) -> dict[str, str]:
    return {gpu.uuid: f"cuda:{number}" for number, gpu in enumerate(gpus)}


def _by_uuid(gpus: Sequence[Gpu], entry: str, mig_instances: Mapping[str, Gpu]) -> Gpu | None:
    """Return the only GPU whose UUID begins with `entry`. For a MIG instance, given by its own UUID or as
    `MIG-GPU-<uuid>/<instance>/<compute instance>` (drivers before R470), return the GPU that it is part of."""
    if entry in mig_instances:
        return mig_instances[entry]
    beginning = entry.removeprefix("MIG-").partition("/")[0] if entry.startswith("MIG-GPU-") else entry
    matches = [gpu for gpu in gpus if beginning and gpu.uuid.startswith(beginning)]
    return matches[0] if len(matches) == 1 else None
