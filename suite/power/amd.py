"""AMD's boards and its library (amdsmi): what the sensor and the list of boards share.

ROCm's PyTorch calls its devices `cuda:N` too; its build says rocm. amdsmi is not safe to use from several threads.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from suite.results.records import Gpu

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


def boards() -> tuple[Gpu, ...]:
    """AMD's boards, not matched to devices yet; empty where there is none or amdsmi cannot be used."""
    if not KFD.exists():
        return ()
    try:
        library = amdsmi()
    except AmdsmiMissing:
        return ()
    try:
        handles = optional(library, library.amdsmi_get_processor_handles) or []
        return tuple(gpu for n, handle in enumerate(handles) if (gpu := _board(library, n, handle)) is not None)
    finally:
        library.amdsmi_shut_down()


def _board(library: Any, index: int, handle: Any) -> Gpu | None:
    uuid = optional(library, lambda: library.amdsmi_get_gpu_device_uuid(handle))
    asic = optional(library, lambda: library.amdsmi_get_gpu_asic_info(handle))
    driver = optional(library, lambda: library.amdsmi_get_gpu_driver_info(handle))
    bus = optional(library, lambda: library.amdsmi_get_gpu_device_bdf(handle))
    if uuid is None:
        return None
    return Gpu(
        index=index,
        vendor="AMD",
        name=asic["market_name"] if asic else "AMD GPU",
        uuid=uuid,
        pci_bus_id=str(bus or "").lower(),
        driver=str(driver.get("driver_version", "")) if driver else "",
    )
