"""The names `cuda:N` that CUDA gives to NVIDIA's GPUs under the variables of an environment. Pure.

NVML lists all GPUs in PCI bus order; CUDA numbers those that CUDA_VISIBLE_DEVICES leaves, in an order of its own (CUDA
C Programming Guide, "CUDA Environment Variables"). They are therefore matched by UUID or PCI bus id, never by number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from joulemark.suite.records import Gpu

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
