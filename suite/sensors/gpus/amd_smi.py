"""The sensor `amdsmi`: AMD's GPUs through amdsmi, their energy counter and their socket power.

`amdsmi_get_energy_count` returns a count and the microjoules of one count (ROCm documentation, "Power Queries"). It is
not supported in virtual machines, stands still on MI100 (ROCm/amdsmi issue 22), and is 0 on the second half of an
MI250, whose first half counts the whole GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from joulemark.suite.energy.plausibility import CEILING_W
from joulemark.suite.records import Channel
from joulemark.suite.sensors.base import Finding, FindResult, Sensor, SensorOptions, median_cost_s
from joulemark.suite.sensors.gpus.vendor_libraries import LibraryMissing, optional, start_amdsmi
from joulemark.suite.sensors.update_period import with_update_periods
from joulemark.suite.system.text import one_line

# We know of no published comparison of AMD's counters with a meter: twice the error that was found for NVIDIA's.
ERROR_RANGE = (0.9, 1.1)
ERROR_SOURCE = "+-10 % (assumed: no validation is published)"
LEAST_CAP_W = 10.0
"""A cap below this is in another unit."""
Read = Callable[[], float | None]


class AmdSmiSensor(Sensor):
    """All GPUs of the machine, amdsmi held open."""

    name = "amdsmi"

    def __init__(self, amdsmi: Any, channels: Sequence[Channel], reads: Sequence[Read]) -> None:
        super().__init__(channels)
        self._amdsmi = amdsmi
        self._reads = reads

    def read(self) -> list[float | None]:
        return [read() for read in self._reads]

    def close(self) -> None:
        self._amdsmi.amdsmi_shut_down()


def find(options: SensorOptions) -> FindResult:
    """Open every GPU that reports energy or power."""
    try:
        amdsmi = start_amdsmi()
    except LibraryMissing as missing:
        return FindResult(None, (Finding("amdsmi", found=False, readable=False, reason=str(missing), fix=missing.fix),))
    channels: list[Channel] = []
    reads: list[Read] = []
    findings: list[Finding] = []
    handles = []
    try:
        handles = amdsmi.amdsmi_get_processor_handles()
    except amdsmi.AmdSmiException as error:
        findings.append(Finding("amdsmi", found=True, readable=False, reason=f"amdsmi: {one_line(str(error))}"))
    for number, handle in enumerate(handles):
        try:
            gpu_channels, gpu_reads, finding = _open_gpu(amdsmi, handle)
        except amdsmi.AmdSmiException as error:
            reason = f"amdsmi: {one_line(str(error))}"
            findings.append(Finding(f"amdsmi GPU {number}", found=True, readable=False, reason=reason))
            continue
        channels += gpu_channels
        reads += gpu_reads
        findings.append(finding)
    if not reads:
        amdsmi.amdsmi_shut_down()
        nothing = Finding("amdsmi", found=False, readable=False, reason="amdsmi finds no GPU")
        return FindResult(None, tuple(findings) or (nothing,))
    path = Path(options.update_periods) if options.update_periods else None
    driver = optional(amdsmi.AmdSmiException, amdsmi.amdsmi_get_gpu_driver_info, handles[0]) or {}
    channels = with_update_periods(channels, reads, str(driver.get("driver_version", "")), path)
    return FindResult(AmdSmiSensor(amdsmi, channels, reads), tuple(findings))


def _open_gpu(amdsmi: Any, handle: Any) -> tuple[list[Channel], list[Read], Finding]:
    """Return the channels of one GPU, tried by reading them, and their reads. Raises AmdSmiException without a UUID."""
    uuid = amdsmi.amdsmi_get_gpu_device_uuid(handle)
    failures = (amdsmi.AmdSmiException, KeyError, TypeError, ValueError)
    channels: list[Channel] = []
    reads: list[Read] = []
    reasons: list[str] = []
    for read, unit, call in (
        (partial(energy_j, amdsmi, handle), "J", "amdsmi_get_energy_count"),
        (partial(power_w, amdsmi, handle), "W", "amdsmi_get_power_info"),
    ):
        try:
            if read() <= 0:
                reasons.append(f"{call} shows 0")
                continue
        except failures as error:
            reasons.append(f"{call}: {one_line(str(error))}")
            continue
        kind = "counter" if unit == "J" else "integrated"
        fields = {"component": "gpu", "scope": uuid, "unit": unit, "kind": kind, "gain": ERROR_RANGE}
        fields["highest_limit_w"] = highest_limit_w(amdsmi, handle)
        channels.append(Channel.model_validate(fields | {"source": f"{call}; gain {ERROR_SOURCE}"}))
        reads.append(partial(optional, failures, read))
    reason = ", ".join(channel.call for channel in channels) if channels else "; ".join(reasons)
    cost_s = median_cost_s(lambda: [read() for read in reads]) if reads else None
    return channels, reads, Finding(f"amdsmi {uuid}", True, bool(reads), reason=reason, read_cost_s=cost_s)


def highest_limit_w(amdsmi: Any, handle: Any) -> float | None:
    """Return the highest power cap of the GPU, watts; None where it has none, or one that is not in microwatts."""
    caps = optional(amdsmi.AmdSmiException, amdsmi.amdsmi_get_power_cap_info, handle) or {}
    cap_w = max(float(caps.get(name, 0)) for name in ("power_cap", "max_power_cap")) / 1e6
    return cap_w if LEAST_CAP_W <= cap_w <= CEILING_W else None


def energy_j(amdsmi: Any, handle: Any) -> float:
    """Return the GPU's energy counter, joules. Before ROCm 6.2.1 the count was called `power`."""
    info = amdsmi.amdsmi_get_energy_count(handle)
    count = info["energy_accumulator"] if "energy_accumulator" in info else info["power"]
    return float(count) * float(info["counter_resolution"]) / 1e6


def power_w(amdsmi: Any, handle: Any) -> float:
    """Return the GPU's power, watts: current if it is known, else average. A missing value is not a number, or has all
    bits set in a wider type than the package checks for. Raises ValueError if both are missing."""
    info = amdsmi.amdsmi_get_power_info(handle)
    for name in ("current_socket_power", "average_socket_power"):
        value = info.get(name)
        if isinstance(value, int | float) and 0 < value <= CEILING_W:
            return float(value)
    raise ValueError("it reports no power")
