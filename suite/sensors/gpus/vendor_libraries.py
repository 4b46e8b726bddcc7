"""The libraries that GPUs are asked through: NVIDIA's NVML and AMD's amdsmi."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from typing import Any

from joulemark.suite.system.text import one_line

REINSTALL = "Install NVIDIA's driver (its package brings libnvidia-ml.so.1); in a container start with --gpus all."
NVML_FIXES: Mapping[int, str] = {
    4: "Run as a user in the group that owns /dev/nvidia*.",
    9: "sudo modprobe nvidia",
    12: REINSTALL,
    18: "Restart the machine, or unload and load the nvidia modules: the driver was upgraded under a running system.",
}
"""What to do about an NVML return code (nvml.h, nvmlReturn_t)."""
INSTALL_AMDSMI = "Install ROCm's amd-smi-lib and the Python package of the same version: pip install 'joulemark[rocm]'."


class LibraryMissing(Exception):  # noqa: N818 - a finding, not a fault
    """A vendor's library cannot be used; the message says why, `fix` what to do."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


def start_nvml() -> Any:
    """Import, start and return nvidia-ml-py's `pynvml`; the caller calls nvmlShutdown. Raises LibraryMissing."""
    try:
        import pynvml
    except ImportError:
        raise LibraryMissing("the Python package nvidia-ml-py is not installed", "pip install nvidia-ml-py") from None
    except Exception as error:  # noqa: BLE001  a broken installation may raise anything
        reason = f"the Python package nvidia-ml-py cannot be imported: {one_line(str(error))}"
        raise LibraryMissing(reason, "pip install --force-reinstall nvidia-ml-py") from None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise LibraryMissing(f"NVML: {error}", NVML_FIXES.get(error.value, REINSTALL)) from None
    return pynvml


def start_amdsmi() -> Any:
    """Import, start and return amdsmi, for one thread, which calls amdsmi_shut_down. Raises LibraryMissing."""
    try:
        # Without its shared library it prints a message, and then fails in its own way.
        with contextlib.redirect_stdout(io.StringIO()):
            import amdsmi
    except ImportError:
        raise LibraryMissing("the Python package amdsmi is not installed", INSTALL_AMDSMI) from None
    except Exception:  # noqa: BLE001
        reason = "libamd_smi.so was not found, or its version is not that of the package"
        raise LibraryMissing(reason, INSTALL_AMDSMI) from None
    try:
        amdsmi.amdsmi_init()
    except amdsmi.AmdSmiException as error:
        raise LibraryMissing(f"amdsmi: {one_line(str(error))}", "sudo modprobe amdgpu") from None
    return amdsmi


def optional(errors: type[Exception] | tuple[type[Exception], ...], call: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of `call`; None if it raises one of `errors`: the GPU or its driver does not support it."""
    try:
        return call(*arguments)
    except errors:
        return None
