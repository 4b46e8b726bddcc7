"""Power limit and clock of an NVIDIA GPU, through NVML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from joulemark.suite.limits.base import TOLERANCE_W, DeviceLimits, LimitError, LimitRefusedError, Range, Target
from joulemark.suite.sensors.gpus.vendor_libraries import LibraryMissing, optional, start_nvml

NO_PERMISSION: Final = 4
"""NVML_ERROR_NO_PERMISSION (nvml.h)."""


class NvidiaLimits(DeviceLimits):
    """NVML held open for one GPU. NVML does not show locked clocks: those of before are reset, not restored."""

    def __init__(self, target: Target, originals: Mapping[str, Any] | None) -> None:
        try:
            self._nvml = start_nvml()
        except LibraryMissing as missing:
            raise LimitError(f"{missing}. {missing.fix}") from None
        self._target = target
        try:
            self._handle = self._call("nvmlDeviceGetHandleByUUID", by_uuid=target.place)
            present_mw = self._call("nvmlDeviceGetPowerManagementLimit")
            low_mw, high_mw = self._call("nvmlDeviceGetPowerManagementLimitConstraints")
        except LimitError:
            self._nvml.nvmlShutdown()
            raise
        self.originals = originals or {"power_mw": present_mw}
        self.present_w = round(self.originals["power_mw"] / 1000)
        self.power_range_w = -(-low_mw // 1000), high_mw // 1000
        self.clock_range_mhz = self._clock_range_mhz()
        self._set: tuple[int, int | None] = present_mw, None

    def _call(self, name: str, *arguments: Any, by_uuid: str | None = None) -> Any:
        """Call NVML on the GPU. LimitRefusedError where that is not permitted, LimitError for any other failure."""
        try:
            if by_uuid is not None:
                return getattr(self._nvml, name)(by_uuid)
            return getattr(self._nvml, name)(self._handle, *arguments)
        except self._nvml.NVMLError as error:
            kind = LimitRefusedError if error.value == NO_PERMISSION else LimitError
            raise kind(f"{name}: {error}") from None

    def _clock_range_mhz(self) -> Range | None:
        ask, errors = self._nvml, self._nvml.NVMLError
        memory = optional(errors, ask.nvmlDeviceGetSupportedMemoryClocks, self._handle) or []
        clocks = optional(errors, ask.nvmlDeviceGetSupportedGraphicsClocks, self._handle, max(memory)) if memory else []
        return (min(clocks), max(clocks)) if clocks else None

    def check(self) -> None:
        if "power-limit" in self._target.keys:
            self._call("nvmlDeviceSetPowerManagementLimit", self.originals["power_mw"])
        if "clock" in self._target.keys:
            self._call("nvmlDeviceResetGpuLockedClocks")

    def set(self, power_limit_w: int | None, clock_mhz: int | None) -> dict[str, float]:
        is_original = power_limit_w is None or power_limit_w == self.present_w
        wanted_mw = self.originals["power_mw"] if is_original else 1000 * (power_limit_w or 0)
        shown: dict[str, float] = {}
        if "clock" in self._target.keys and clock_mhz != self._set[1]:
            if clock_mhz is None:
                self._call("nvmlDeviceResetGpuLockedClocks")
            else:
                self._call("nvmlDeviceSetGpuLockedClocks", clock_mhz, clock_mhz)
            self._set = self._set[0], clock_mhz
        if "power-limit" in self._target.keys:
            if wanted_mw != self._set[0]:
                self._call("nvmlDeviceSetPowerManagementLimit", wanted_mw)
                self._set = wanted_mw, self._set[1]
            shown["power_limit_w"] = self._call("nvmlDeviceGetPowerManagementLimit") / 1000
            if abs(shown["power_limit_w"] - wanted_mw / 1000) > TOLERANCE_W:
                raise LimitError(f"the GPU shows a limit of {shown['power_limit_w']:g} W, not {wanted_mw / 1000:g} W")
        return shown

    def restore(self) -> None:
        self._set = -1, -1  # as if anything were set
        try:
            self.set(None, None)
        except LimitError as error:
            power = f"-pl {self.originals['power_mw'] / 1000:g}"
            commands = {"power-limit": power, "clock": "-rgc"}
            by_hand = "; ".join(f"sudo nvidia-smi -i {self._target.place} {commands[k]}" for k in self._target.keys)
            raise LimitError(f"the GPU's limits could not be restored ({error}): {by_hand}") from None

    def close(self) -> None:
        self._nvml.nvmlShutdown()
