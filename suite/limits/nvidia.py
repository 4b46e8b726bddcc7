"""Power limit and clock of an NVIDIA GPU, through NVML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from joulemark.suite.limits.base import TOLERANCE_W, DeviceLimits, LimitError, LimitRefusedError, Range, Target
from joulemark.suite.sensors.gpus.vendor_libraries import LibraryMissing, optional, start_nvml

NO_PERMISSION: Final = 4
"""NVML_ERROR_NO_PERMISSION (nvml.h)."""
UNKNOWN_CLOCK: Final = -1
"""Differs from what is to be set, whatever that is."""


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
            self.originals = originals or {}
            if "power-limit" in target.keys:  # of a laptop's GPU it cannot be read, and its clock can be locked
                self._read_power()
        except LimitError:
            self._nvml.nvmlShutdown()
            raise
        self.clock_range_mhz = self._clock_range_mhz()
        self._clock_mhz: int | None = None
        """The clock that is locked, MHz; None for none."""

    def _read_power(self) -> None:
        self._power_mw: int | None = self._call("nvmlDeviceGetPowerManagementLimit")
        """The power limit that is set, milliwatts; None where that is not known."""
        self.originals = self.originals or {"power_mw": self._power_mw}
        self.present_w = round(self.originals["power_mw"] / 1000)
        low_mw, high_mw = self._call("nvmlDeviceGetPowerManagementLimitConstraints")
        self.power_range_w = -(-low_mw // 1000), high_mw // 1000

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
        if "clock" in self._target.keys:
            self._set_clock(clock_mhz)
        return {"power_limit_w": self._set_power(power_limit_w)} if "power-limit" in self._target.keys else {}

    def _set_clock(self, clock_mhz: int | None) -> None:
        if clock_mhz == self._clock_mhz:
            return
        if clock_mhz is None:
            self._call("nvmlDeviceResetGpuLockedClocks")
        else:
            self._call("nvmlDeviceSetGpuLockedClocks", clock_mhz, clock_mhz)
        self._clock_mhz = clock_mhz

    def _set_power(self, power_limit_w: int | None) -> float:
        """Set the power limit, and return the one that the GPU shows, watts."""
        is_original = power_limit_w is None or power_limit_w == self.present_w
        wanted_mw = self.originals["power_mw"] if is_original else 1000 * (power_limit_w or 0)
        if wanted_mw != self._power_mw:
            self._call("nvmlDeviceSetPowerManagementLimit", wanted_mw)
            self._power_mw = wanted_mw
        shown_w: float = self._call("nvmlDeviceGetPowerManagementLimit") / 1000
        if abs(shown_w - wanted_mw / 1000) > TOLERANCE_W:
            raise LimitError(f"the GPU shows a limit of {shown_w:g} W, not {wanted_mw / 1000:g} W")
        return shown_w

    def restore(self) -> None:
        failed: dict[str, LimitError] = {}
        for key in reversed(self._target.keys):
            try:
                if key == "clock":
                    self._clock_mhz = UNKNOWN_CLOCK
                    self._set_clock(None)
                else:
                    self._power_mw = None
                    self._set_power(None)
            except LimitError as error:
                failed[key] = error
        if failed:
            power = f"-pl {self.originals.get('power_mw', 0) / 1000:g}"
            options = ["-rgc" if key == "clock" else power for key in failed]
            by_hand = "; ".join(f"sudo nvidia-smi -i {self._target.place} {option}" for option in options)
            reasons = "; ".join(map(str, failed.values()))
            raise LimitError(f"the GPU's limits could not be restored ({reasons}): {by_hand}")

    def close(self) -> None:
        self._nvml.nvmlShutdown()
