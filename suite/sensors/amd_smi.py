"""AMD boards through amdsmi: the energy counter, and the socket's power.

`amdsmi_get_energy_count` gives a count and what one count is worth in microjoules (ROCm documentation, "Power
Queries"). It is not supported in virtual machines, stands still on MI100 (ROCm/amdsmi issue 22), and is 0 on the second
half of an MI250, whose first half counts the whole board.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from joulemark.suite.records import BoardState, Channel
from joulemark.suite.sensors.amd_library import AmdsmiMissing, amdsmi, one_line, optional
from joulemark.suite.sensors.base import Finding, Opened, Options
from joulemark.suite.sensors.trace_file import PLAUSIBLE_W
from joulemark.suite.sensors.update_period import probed

# No published comparison of AMD's counters with a meter is known to us: twice what was found for NVIDIA's.
GAIN = (0.9, 1.1)
GAIN_SOURCE = "+-10 % (assumed: no validation is published)"

Read = Callable[[], float]


class Amdsmi:
    """All boards of the machine, amdsmi held open."""

    name = "amdsmi"
    simulated = False
    period_s = 0.1
    stamp_s: float | None = None

    def __init__(self, library: Any, channels: Sequence[Channel], reads: Sequence[Read]) -> None:
        self._library = library
        self._reads = reads
        self.channels = tuple(channels)
        self.wrap_j: tuple[float | None, ...] = (None,) * len(reads)

    def read(self) -> list[float | None]:
        return [self._one(read) for read in self._reads]

    def _one(self, read: Read) -> float | None:
        return _or_none(self._library, read)

    def states(self) -> tuple[BoardState, ...]:
        return ()

    def close(self) -> None:
        self._library.amdsmi_shut_down()


def find(options: Options) -> Opened:
    """Open every board that gives energy or power."""
    try:
        library = amdsmi()
    except AmdsmiMissing as missing:
        return Opened(None, (Finding("amdsmi", found=False, readable=False, reason=str(missing), fix=missing.fix),))
    channels: list[Channel] = []
    reads: list[Read] = []
    findings: list[Finding] = []
    try:
        handles = library.amdsmi_get_processor_handles()
    except library.AmdSmiException as error:
        handles = []
        findings.append(Finding("amdsmi", found=True, readable=False, reason=f"amdsmi: {one_line(error)}"))
    for number, handle in enumerate(handles):
        try:
            own, calls, finding = _probe(library, handle)
        except library.AmdSmiException as error:
            own, calls = [], []
            finding = Finding(f"amdsmi board {number}", True, False, reason=f"amdsmi: {one_line(error)}")
        channels += own
        reads += calls
        findings.append(finding)
    if not reads:
        library.amdsmi_shut_down()
        nothing = Finding("amdsmi", found=False, readable=False, reason="amdsmi sees no board")
        return Opened(None, tuple(findings) or (nothing,))
    sensor = Amdsmi(library, channels, reads)
    driver = _driver(library)
    names = [f"{channel.scope} driver {driver} {channel.source.partition(';')[0]}" for channel in channels]
    probes = {name: partial(sensor._one, read) for name, read in zip(names, reads, strict=True)}
    ticks = probed(Path(options.ticks) if options.ticks else None, probes)
    sensor.channels = tuple(
        channel.model_copy(update={"tick_s": ticks.get(name)}) for channel, name in zip(channels, names, strict=True)
    )
    return Opened(sensor, tuple(findings))


def _driver(library: Any) -> str:
    """Version of the machine's driver, one for all boards: a tick is probed anew after it has changed."""
    handles = library.amdsmi_get_processor_handles()
    found = optional(library, lambda: library.amdsmi_get_gpu_driver_info(handles[0]))
    return str(found.get("driver_version", "")) if found else ""


def _probe(library: Any, handle: Any) -> tuple[list[Channel], list[Read], Finding]:
    """The calls that work on one board, tried by calling them."""
    uuid = library.amdsmi_get_gpu_device_uuid(handle)
    channels: list[Channel] = []
    reads: list[Read] = []
    reasons: list[str] = []
    for read, unit, source in (
        (partial(energy_j, library, handle), "J", "amdsmi_get_energy_count"),
        (partial(power_w, library, handle), "W", "amdsmi_get_power_info"),
    ):
        try:
            if read() <= 0:
                reasons.append(f"{source} shows 0")
                continue
        except (library.AmdSmiException, KeyError, TypeError, ValueError) as error:
            reasons.append(f"{source}: {one_line(error)}")
            continue
        kind = "counter" if unit == "J" else "integrated"
        fields = {"component": "gpu", "scope": uuid, "unit": unit, "kind": kind, "gain": GAIN}
        channels.append(Channel.model_validate(fields | {"source": f"{source}; gain {GAIN_SOURCE}"}))
        reads.append(read)
    costs = []
    for call in reads * 5:
        begin_s = time.perf_counter()
        _or_none(library, call)
        costs.append(time.perf_counter() - begin_s)
    reason = "; ".join(reasons) if not reads else ", ".join(channel.source.partition(";")[0] for channel in channels)
    cost_s = statistics.median(costs) * len(reads) if costs else None
    return channels, reads, Finding(f"amdsmi {uuid}", True, bool(reads), reason=reason, read_cost_s=cost_s)


def _or_none(library: Any, read: Read) -> float | None:
    """What `read` gives; None where it was missed."""
    try:
        return read()
    except (library.AmdSmiException, KeyError, TypeError, ValueError):
        return None


def energy_j(library: Any, handle: Any) -> float:
    """The board's counter, joules. The count was called `power` before ROCm 6.2.1."""
    found = library.amdsmi_get_energy_count(handle)
    count = found["energy_accumulator"] if "energy_accumulator" in found else found["power"]
    return float(count) * float(found["counter_resolution"]) / 1e6


def power_w(library: Any, handle: Any) -> float:
    """The board's power, watts: now where it says so, else its average. A value that it lacks is no number, or all ones
    in more bits than the package looks for."""
    found = library.amdsmi_get_power_info(handle)
    for name in ("current_socket_power", "average_socket_power"):
        value = found.get(name)
        if isinstance(value, int | float) and 0 < value <= PLAUSIBLE_W:
            return float(value)
    raise ValueError("it gives no power")
