"""AMD's GPUs through amdsmi, and the names `cuda:N` that ROCm's builds of the frameworks give them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from joulemark.suite.records import Gpu
from joulemark.suite.sensors.gpus.vendor_libraries import LibraryMissing, optional, start_amdsmi

KFD = Path("/dev/kfd")
"""The device of AMD's compute driver (Documentation/gpu/amdgpu)."""


@dataclass(frozen=True)
class Agent:
    """A GPU as ROCm's runtime counts it."""

    gpu: Gpu
    node: int
    """Its node in the driver's topology, whose order is the runtime's; an unknown one comes after all others."""
    unique_id: str
    """`GPU-` and 16 hexadecimal digits, as in ROCR_VISIBLE_DEVICES; empty if the GPU has no such number."""


def amd_gpus(environment: Mapping[str, str] = os.environ, kfd: Path = KFD) -> tuple[Gpu, ...]:
    """Return AMD's GPUs, with a device for each that `environment` shows; none without `kfd` or a usable amdsmi."""
    if not kfd.exists():
        return ()
    try:
        amdsmi = start_amdsmi()
    except LibraryMissing:
        return ()
    try:
        handles = optional(amdsmi.AmdSmiException, amdsmi.amdsmi_get_processor_handles) or []
        agents = [agent for n, handle in enumerate(handles) if (agent := _agent(amdsmi, n, handle)) is not None]
    finally:
        amdsmi.amdsmi_shut_down()
    devices = {agent.gpu.uuid: f"cuda:{n}" for n, agent in enumerate(visible_agents(agents, environment))}
    return tuple(agent.gpu.model_copy(update={"device": devices.get(agent.gpu.uuid)}) for agent in agents)


def visible_agents(agents: Sequence[Agent], environment: Mapping[str, str]) -> list[Agent]:
    """Return the GPUs that a program sees under `environment`, in its order.

    ROCR_VISIBLE_DEVICES is applied first; what it leaves is numbered anew for HIP_VISIBLE_DEVICES or, if that is
    empty, CUDA_VISIBLE_DEVICES (ROCm documentation, "GPU isolation techniques"). Both end at the first entry that names
    no GPU. An empty ROCR_VISIBLE_DEVICES hides all GPUs, an empty HIP_VISIBLE_DEVICES none (ROCm/rocr-runtime,
    amd_filter_device.cpp; ROCm/clr, rocdevice.cpp).
    """
    visible = sorted(agents, key=lambda agent: agent.node)
    if (selection := environment.get("ROCR_VISIBLE_DEVICES")) is not None:
        visible = _select(visible, selection)
    selection = environment.get("HIP_VISIBLE_DEVICES") or environment.get("CUDA_VISIBLE_DEVICES")
    return _select(visible, selection) if selection else visible


def _select(agents: Sequence[Agent], selection: str) -> list[Agent]:
    """Return the GPUs that `selection` names by number or by the beginning of their unique id, in its order."""
    selected: list[Agent] = []
    for entry in (entry.strip().upper() for entry in selection.split(",")):
        if entry.startswith("GPU-"):
            matches = [agent for agent in agents if agent.unique_id.startswith(entry)]
        else:
            matches = [agents[int(entry)]] if entry.isdecimal() and int(entry) < len(agents) else []
        if len(matches) != 1 or matches[0] in selected:
            break
        selected.append(matches[0])
    return selected


def _agent(amdsmi: Any, index: int, handle: Any) -> Agent | None:
    """Return the GPU of `handle`; None if it has no UUID."""
    ask = partial(optional, amdsmi.AmdSmiException)
    uuid = ask(amdsmi.amdsmi_get_gpu_device_uuid, handle)
    asic = ask(amdsmi.amdsmi_get_gpu_asic_info, handle) or {}
    driver = ask(amdsmi.amdsmi_get_gpu_driver_info, handle) or {}
    topology = ask(amdsmi.amdsmi_get_gpu_kfd_info, handle) or {}
    if uuid is None:
        return None
    gpu = Gpu(
        index=index,
        vendor="AMD",
        name=asic.get("market_name", "AMD GPU"),
        uuid=uuid,
        pci_bus_id=str(ask(amdsmi.amdsmi_get_gpu_device_bdf, handle) or "").lower(),
        memory_bytes=ask(amdsmi.amdsmi_get_gpu_memory_total, handle, amdsmi.AmdSmiMemoryType.VRAM),
        driver=str(driver.get("driver_version", "")),
    )
    node, serial = topology.get("node_id"), asic.get("asic_serial", "")
    return Agent(
        gpu=gpu,
        node=node if isinstance(node, int) else sys.maxsize,
        unique_id=f"GPU-{int(serial, 16):016X}" if serial.startswith("0x") and int(serial, 16) else "",
    )
