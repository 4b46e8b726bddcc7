"""AMD's boards and its library (amdsmi): what the sensor and the list of boards share.

ROCm's PyTorch calls its devices `cuda:N` too; its build says rocm. amdsmi is not safe to use from several threads.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joulemark.suite.records import Gpu

KFD = Path("/dev/kfd")
"""The device of AMD's compute driver (Documentation/gpu/amdgpu)."""
INSTALL = "Install ROCm's amd-smi-lib and the Python package of the same version: pip install 'joulemark[rocm]'."


class AmdsmiMissing(Exception):  # noqa: N818 - a finding, not a fault
    """amdsmi cannot be used; the message says why, `fix` what to do."""

    def __init__(self, reason: str, fix: str | None) -> None:
        super().__init__(reason)
        self.fix = fix


def amdsmi() -> Any:
    """The amdsmi module, started (amdsmi_shut_down is the caller's). AmdsmiMissing says why not."""
    try:
        # Without its library it prints that, and then fails in a way of its own.
        with contextlib.redirect_stdout(io.StringIO()):
            import amdsmi as library
    except ImportError:
        raise AmdsmiMissing("the Python package amdsmi is not installed", INSTALL) from None
    except Exception:  # noqa: BLE001
        raise AmdsmiMissing("libamd_smi.so was not found, or is not of the version of the package", INSTALL) from None
    try:
        library.amdsmi_init()
    except library.AmdSmiException as error:
        raise AmdsmiMissing(f"amdsmi: {one_line(error)}", "sudo modprobe amdgpu") from None
    return library


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def optional(library: Any, call: Callable[[], Any]) -> Any:
    """What `call` gives; None where the board does not support it."""
    try:
        return call()
    except library.AmdSmiException:
        return None


@dataclass(frozen=True)
class Agent:
    """A board as ROCm's runtime counts it."""

    gpu: Gpu
    node: int
    """Its node in the driver's topology, whose order is the runtime's; where not known, after all others."""
    unique: str
    """`GPU-` and 16 hexadecimal digits, as ROCR_VISIBLE_DEVICES names it; empty where the board has no such number."""


def boards(environment: Mapping[str, str] = os.environ, kfd: Path = KFD) -> tuple[Gpu, ...]:
    """AMD's boards, with the frameworks' name for each that `environment` leaves visible to them; empty where there is
    none or amdsmi cannot be used."""
    if not kfd.exists():
        return ()
    try:
        library = amdsmi()
    except AmdsmiMissing:
        return ()
    try:
        handles = optional(library, library.amdsmi_get_processor_handles) or []
        agents = [agent for n, handle in enumerate(handles) if (agent := _agent(library, n, handle)) is not None]
    finally:
        library.amdsmi_shut_down()
    names = {agent.gpu.uuid: f"cuda:{n}" for n, agent in enumerate(visible(agents, environment))}
    return tuple(agent.gpu.model_copy(update={"device": names.get(agent.gpu.uuid)}) for agent in agents)


def visible(agents: Sequence[Agent], environment: Mapping[str, str]) -> list[Agent]:
    """The boards that a program sees under `environment`, in its order.

    ROCR_VISIBLE_DEVICES is applied first; what it leaves is counted anew for HIP_VISIBLE_DEVICES or, where that is
    empty, CUDA_VISIBLE_DEVICES (ROCm documentation, "GPU isolation techniques"). Both end at the first entry that names
    no board. An empty ROCR_VISIBLE_DEVICES hides all boards, an empty one of HIP none (ROCm/rocr-runtime,
    amd_filter_device.cpp; ROCm/clr, rocdevice.cpp).
    """
    left = sorted(agents, key=lambda agent: agent.node)
    chosen = environment.get("ROCR_VISIBLE_DEVICES")
    if chosen is not None:
        left = _named(left, chosen)
    chosen = environment.get("HIP_VISIBLE_DEVICES") or environment.get("CUDA_VISIBLE_DEVICES")
    return _named(left, chosen) if chosen else left


def _named(agents: Sequence[Agent], selection: str) -> list[Agent]:
    """The boards that `selection` names by number or by the beginning of their unique number, in its order."""
    found: list[Agent] = []
    for entry in (part.strip().upper() for part in selection.split(",")):
        if entry.startswith("GPU-"):
            matches = [agent for agent in agents if agent.unique.startswith(entry)]
        else:
            matches = [agents[int(entry)]] if entry.isdecimal() and int(entry) < len(agents) else []
        if len(matches) != 1 or matches[0] in found:
            break
        found.append(matches[0])
    return found


def _agent(library: Any, index: int, handle: Any) -> Agent | None:
    uuid = optional(library, lambda: library.amdsmi_get_gpu_device_uuid(handle))
    asic = optional(library, lambda: library.amdsmi_get_gpu_asic_info(handle)) or {}
    driver = optional(library, lambda: library.amdsmi_get_gpu_driver_info(handle)) or {}
    bus = optional(library, lambda: library.amdsmi_get_gpu_device_bdf(handle))
    topology = optional(library, lambda: library.amdsmi_get_gpu_kfd_info(handle)) or {}
    memory = optional(library, lambda: library.amdsmi_get_gpu_memory_total(handle, library.AmdSmiMemoryType.VRAM))
    if uuid is None:
        return None
    gpu = Gpu(
        index=index,
        vendor="AMD",
        name=asic.get("market_name", "AMD GPU"),
        uuid=uuid,
        pci_bus_id=str(bus or "").lower(),
        memory_bytes=memory,
        driver=str(driver.get("driver_version", "")),
    )
    node, serial = topology.get("node_id"), asic.get("asic_serial", "")
    return Agent(
        gpu=gpu,
        node=node if isinstance(node, int) else sys.maxsize,
        unique=f"GPU-{int(serial, 16):016X}" if serial.startswith("0x") and int(serial, 16) else "",
    )
