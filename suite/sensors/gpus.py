"""The machine's GPU boards as NVML shows them, and which of them the frameworks call `cuda:N`.

NVML counts boards in PCI bus order and sees all of them; CUDA counts what CUDA_VISIBLE_DEVICES leaves, in an order of
its own (CUDA C Programming Guide, "CUDA Environment Variables"). So they are matched by UUID or PCI bus id, never by
number.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from joulemark.suite.records import Gpu
from joulemark.suite.sensors.amd_library import KFD
from joulemark.suite.sensors.amd_library import boards as amd_boards


@dataclass(frozen=True)
class Boards:
    """What was found."""

    gpus: tuple[Gpu, ...]
    reason: str | None
    """Why there is none, or why they could not be matched to the frameworks' devices; None where all is well."""
    instances: Mapping[str, Gpu] = field(default_factory=dict)
    """UUID of each MIG instance -> the board that it is a part of."""

    def with_device_numbers(self, uuids: Sequence[str]) -> tuple[Gpu, ...]:
        """The boards, named as a framework that sees `uuids` numbers them; as they are where it told none, or one that
        is not here. CUDA's UUIDs have no prefix, and that of an instance is the instance's."""
        owners = {gpu.uuid.removeprefix("GPU-"): gpu for gpu in self.gpus}
        owners |= {uuid.removeprefix("MIG-"): gpu for uuid, gpu in self.instances.items()}
        if not uuids or any(uuid not in owners for uuid in uuids):
            return self.gpus
        devices = {owners[uuid].uuid: f"cuda:{number}" for number, uuid in enumerate(uuids)}
        return tuple(gpu.model_copy(update={"device": devices.get(gpu.uuid)}) for gpu in self.gpus)


class NvmlMissing(Exception):  # noqa: N818 - a finding, not a fault
    """NVML cannot be used; the message says why, `fix` what to do."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


REINSTALL = "Install NVIDIA's driver (its package brings libnvidia-ml.so.1); in a container start with --gpus all."
FIXES: Mapping[int, str] = {
    4: "Run as a user in the group that owns /dev/nvidia*.",
    9: "sudo modprobe nvidia",
    12: REINSTALL,
    18: "Restart the machine, or unload and load the nvidia modules: the driver was upgraded under a running system.",
}
"""What to do about an NVML return code (nvml.h, nvmlReturn_t)."""


def nvml() -> Any:
    """The `pynvml` module of nvidia-ml-py, NVML started (nvmlShutdown is the caller's). NvmlMissing says why not."""
    try:
        import pynvml
    except ImportError:
        raise NvmlMissing("the Python package nvidia-ml-py is not installed", "pip install nvidia-ml-py") from None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise NvmlMissing(f"NVML: {error}", FIXES.get(error.value, REINSTALL)) from None
    return pynvml


def discover(environment: Mapping[str, str] = os.environ, kfd: Path = KFD) -> Boards:
    """All boards, with the frameworks' name for each that `environment` leaves visible to them.

    `kfd`: AMD's compute device; amdsmi is asked only where it is there.
    """
    found, amd = _nvidia(environment), amd_boards(environment, kfd)
    if not amd or not found.gpus:
        return Boards(amd, None) if amd else found
    # A framework is built for one maker's boards: with NVIDIA's driver at work, for NVIDIA's.
    others = tuple(gpu.model_copy(update={"device": None}) for gpu in amd)
    beside = f"{len(amd)} AMD board(s) beside NVIDIA's are listed without a device"
    reason = "; ".join([*([found.reason] if found.reason else []), beside])
    return Boards((*found.gpus, *others), reason, found.instances)


def _nvidia(environment: Mapping[str, str]) -> Boards:
    try:
        library = nvml()
    except NvmlMissing as missing:
        return Boards((), str(missing))
    try:
        found, reasons = [], []
        for index in range(optional(library, library.nvmlDeviceGetCount) or 0):
            try:
                found.append(_board(library, index))
            except library.NVMLError as error:
                reasons.append(f"board {index}: {error}")
        if not found:
            return Boards((), "; ".join(reasons) or "NVML sees no board")
        instances = _instances(library, found)
        devices, reason = visible(found, environment, instances)
        named = tuple(gpu.model_copy(update={"device": devices.get(gpu.uuid)}) for gpu in found)
        return Boards(named, "; ".join([*reasons, *([reason] if reason else [])]) or None, instances)
    finally:
        library.nvmlShutdown()


def _board(library: Any, index: int) -> Gpu:
    handle = library.nvmlDeviceGetHandleByIndex(index)
    mig = optional(library, lambda: library.nvmlDeviceGetMigMode(handle))
    limit_mw = optional(library, lambda: library.nvmlDeviceGetEnforcedPowerLimit(handle))
    memory = optional(library, lambda: library.nvmlDeviceGetMemoryInfo(handle))
    return Gpu(
        index=index,
        vendor="NVIDIA",
        name=_text(library.nvmlDeviceGetName(handle)),
        uuid=_text(library.nvmlDeviceGetUUID(handle)),
        pci_bus_id=_text(library.nvmlDeviceGetPciInfo(handle).busId).lower(),
        memory_bytes=int(memory.total) if memory is not None else None,
        driver=_text(library.nvmlSystemGetDriverVersion()),
        power_limit_w=limit_mw / 1000 if limit_mw is not None else None,
        mig=bool(mig[0]) if mig is not None else False,
    )


def _instances(library: Any, gpus: Sequence[Gpu]) -> dict[str, Gpu]:
    """UUID of each MIG instance -> the board that it is a part of."""
    parents: dict[str, Gpu] = {}
    for gpu in gpus:
        handle = library.nvmlDeviceGetHandleByIndex(gpu.index)
        for number in range(optional(library, lambda h=handle: library.nvmlDeviceGetMaxMigDeviceCount(h)) or 0):
            instance = optional(library, lambda h=handle, n=number: library.nvmlDeviceGetMigDeviceHandleByIndex(h, n))
            if instance is not None:
                parents[_text(library.nvmlDeviceGetUUID(instance))] = gpu
    return parents


def optional(library: Any, call: Any) -> Any:
    """What `call` gives; None where the board or its driver does not support it."""
    try:
        return call()
    except library.NVMLError:
        return None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def visible(
    gpus: Sequence[Gpu], environment: Mapping[str, str], instances: Mapping[str, Gpu] = MappingProxyType({})
) -> tuple[dict[str, str], str | None]:
    """UUID -> `cuda:N` for the boards that CUDA shows under `environment`, and the reason where that is not certain.

    `instances` maps the UUID of each MIG instance to its board. CUDA stops at the first entry that names no device,
    shows one MIG instance at most, and beside it no whole board (NVIDIA, "MIG User Guide", CUDA device enumeration).
    """
    selection = environment.get("CUDA_VISIBLE_DEVICES")
    by_bus = environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    split = {gpu.uuid for gpu in instances.values()}
    # A board in MIG mode without an instance is no device of CUDA's.
    whole = [gpu for gpu in gpus if not gpu.mig or gpu.uuid in split]
    by_number = whole if by_bus or _alike(whole) else None
    why = UNLIKE
    if split and len(whole) > 1:
        # Which instance it is, and what the numbers then mean, is not said.
        by_number = [gpu for gpu in whole if gpu.uuid in split] if len(split) == 1 and selection is None else None
        why = SPLIT
    if selection is None:
        if by_number is None:
            return {}, why
        return {gpu.uuid: f"cuda:{n}" for n, gpu in enumerate(by_number)}, None
    chosen: list[Gpu] = []
    for entry in (part.strip() for part in selection.split(",")):
        if entry.lstrip("-").isdigit():
            if by_number is None:
                return {}, why
            if not 0 <= int(entry) < len(by_number):
                break
            gpu: Gpu | None = by_number[int(entry)]
        else:
            gpu = _by_uuid(gpus, entry, instances)
        if gpu is None or gpu in chosen:
            break
        chosen.append(gpu)
    return {gpu.uuid: f"cuda:{n}" for n, gpu in enumerate(chosen)}, None


UNLIKE = (
    "boards of several models are numbered by CUDA in an order of its own, fastest first: "
    "set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name boards by UUID in CUDA_VISIBLE_DEVICES"
)

SPLIT = (
    "a board is split (MIG): CUDA then shows one instance alone. "
    "Name what is meant by its UUID in CUDA_VISIBLE_DEVICES (nvidia-smi -L)"
)


def _alike(gpus: Sequence[Gpu]) -> bool:
    """Boards of one model: CUDA's order "fastest first" is then the bus order."""
    return len({gpu.name for gpu in gpus}) <= 1


def _by_uuid(gpus: Sequence[Gpu], entry: str, instances: Mapping[str, Gpu]) -> Gpu | None:
    """The one board whose UUID begins with `entry`; for a MIG instance, by its own UUID or as
    `MIG-GPU-<uuid>/<instance>/<compute instance>` (drivers before R470), the board that it is a part of."""
    if entry in instances:
        return instances[entry]
    wanted = entry.removeprefix("MIG-").partition("/")[0] if entry.startswith("MIG-GPU-") else entry
    matches = [gpu for gpu in gpus if wanted and gpu.uuid.startswith(wanted)]
    return matches[0] if len(matches) == 1 else None
