"""NVIDIA boards through NVML (nvidia-ml-py, imported as `pynvml`).

For each board: its total-energy counter (Volta and newer; tried by calling, not by architecture) and its power.
Instant power (field 186) before average power (field 185), and nvmlDeviceGetPowerUsage as the last resort, which on
Ampere (but GA100) and newer is an average over 1 s (NVML API reference, nvmlDeviceGetPowerUsage). On Grace the power of
the whole module too, which contains the board's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from joulemark.suite.records import BoardState, Channel
from joulemark.suite.sensors.base import Finding, Opened, Options
from joulemark.suite.sensors.gpus import NvmlMissing, nvml, optional
from joulemark.suite.sensors.update_period import probed

POWER_AVERAGE = 185
POWER_INSTANT = 186
SCOPE_MODULE = 1  # nvml.h, NVML_POWER_SCOPE_MODULE
VOLTA, TURING, AMPERE, ADA, HOPPER = 5, 6, 7, 8, 9  # nvml.h, nvmlDeviceArchitecture_t
GA100_CAPABILITY = (8, 0)
VALUE_MEMBERS = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")  # nvml.h, nvmlValueType_t 0 to 6
# Yang, Adamek, Armour, "Accurate and Convenient Energy Measurements for GPUs", SC24 (arXiv 2312.02741): a gain error
# within about 5 % on recent boards (A100 -5.5 %, RTX 4090 -4.3 %), constant on one board.
GAIN = (1 / 1.055, 1 / 0.945)
GAIN_SOURCE = "+-5.5 % (arXiv 2312.02741)"
UNKNOWN_COVERAGE = 0.25
"""For architectures that the paper has not measured: the least that it found on any data-centre board but one."""
THROTTLES = {0x4: "power_cap", 0x8: "slowdown", 0x20: "thermal", 0x40: "thermal", 0x80: "power_brake"}
"""Bits of nvmlDeviceGetCurrentClocksEventReasons that hold clocks below what the load could use (nvml.h)."""

Call = Callable[[], float]
Read = Callable[[], float | None]


@dataclass
class _Board:
    """The reads of one board that were seen to work."""

    handle: Any
    uuid: str
    name: str
    coverage: float
    limit_w: float | None
    channels: list[Channel] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class Nvml:
    """All boards of the machine, NVML held open."""

    name = "nvml"
    simulated = False
    stamp_s: float | None = None
    period_s = 0.1

    def __init__(self, library: Any, boards: Sequence[_Board]) -> None:
        self._library = library
        self._boards = boards
        self._reads = [read for board in boards for read in board.reads]
        self.channels = tuple(channel for board in boards for channel in board.channels)
        self.wrap_j: tuple[float | None, ...] = (None,) * len(self.channels)

    def read(self) -> list[float | None]:
        return [read() for read in self._reads]

    def states(self) -> tuple[BoardState, ...]:
        return tuple(_state(self._library, board) for board in self._boards)

    def close(self) -> None:
        self._library.nvmlShutdown()


def _state(library: Any, board: _Board) -> BoardState:
    def ask(name: str, *arguments: Any) -> Any:
        return optional(library, partial(getattr(library, name), board.handle, *arguments))

    def ask_either(new: str, old: str) -> Any:
        """The answer of a call, under its older name where the driver does not know the newer."""
        return found if (found := ask(new)) is not None else ask(old)

    bits = ask_either("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
    limit_mw = ask("nvmlDeviceGetEnforcedPowerLimit")
    # Without their version, pynvml's calls raise what is no NVMLError where the driver is too old.
    processes = ask_either("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2")
    return BoardState(
        t_s=0.0,
        scope=board.uuid,
        temperature_c=ask("nvmlDeviceGetTemperature", library.NVML_TEMPERATURE_GPU),
        sm_clock_mhz=ask("nvmlDeviceGetClockInfo", library.NVML_CLOCK_SM),
        memory_clock_mhz=ask("nvmlDeviceGetClockInfo", library.NVML_CLOCK_MEM),
        power_limit_w=limit_mw / 1000 if limit_mw is not None else None,
        throttled=tuple(sorted({name for bit, name in THROTTLES.items() if bits & bit})) if bits is not None else None,
        processes=len(processes) if processes is not None else None,
    )


def find(options: Options) -> Opened:
    """Open every board that gives energy or power."""
    try:
        library = nvml()
    except NvmlMissing as missing:
        return Opened(None, (Finding("nvml", found=False, readable=False, reason=str(missing), fix=missing.fix),))
    boards: list[_Board] = []
    refused: list[Finding] = []
    for index in range(optional(library, library.nvmlDeviceGetCount) or 0):
        try:
            boards.append(_probe(library, index))
        except library.NVMLError as error:
            refused.append(Finding(f"nvml board {index}", found=True, readable=False, reason=f"NVML: {error}"))
    _set_ticks(library, boards, Path(options.ticks) if options.ticks else None)
    findings = (*(_finding(board) for board in boards), *refused)
    readable = [board for board in boards if board.reads]
    if not readable:
        library.nvmlShutdown()
        nothing = Finding("nvml", found=False, readable=False, reason="NVML sees no board")
        return Opened(None, findings or (nothing,))
    return Opened(Nvml(library, readable), findings)


def _probe(library: Any, index: int) -> _Board:
    """The reads of board `index` that work, tried by calling each."""
    handle = library.nvmlDeviceGetHandleByIndex(index)
    name = str(library.nvmlDeviceGetName(handle))
    architecture = optional(library, partial(library.nvmlDeviceGetArchitecture, handle))
    capability = optional(library, partial(library.nvmlDeviceGetCudaComputeCapability, handle))
    ga100 = capability is not None and tuple(capability) == GA100_CAPABILITY
    limit_mw = optional(library, partial(library.nvmlDeviceGetEnforcedPowerLimit, handle))
    board = _Board(
        handle,
        str(library.nvmlDeviceGetUUID(handle)),
        name,
        coverage(architecture, ga100, name),
        limit_mw / 1000 if limit_mw is not None else None,
    )
    energy = partial(library.nvmlDeviceGetTotalEnergyConsumption, handle)
    _try(board, library, energy, "J", "nvmlDeviceGetTotalEnergyConsumption", 0.0)
    # Not known: the worse of the two.
    average_s = 1.0 if architecture is None or capability is None or (architecture >= AMPERE and not ga100) else 0.0
    label = ", an average over 1 s" if average_s else ""
    for call, source, seconds in (
        (partial(_field, library, handle, POWER_INSTANT), "NVML field 186, instant power", 0.0),
        (partial(_field, library, handle, POWER_AVERAGE), "NVML field 185, power averaged over 1 s", 1.0),
        (partial(library.nvmlDeviceGetPowerUsage, handle), f"nvmlDeviceGetPowerUsage{label}", average_s),
    ):
        if _try(board, library, call, "W", source, seconds):
            break
    if "GH200" in name or "GB200" in name or "Grace" in name:
        module = partial(_field, library, handle, (POWER_INSTANT, SCOPE_MODULE))
        _try(board, library, module, "W", "NVML field 186, module scope: CPU and GPU", 0.0, component="module")
    return board


def coverage(architecture: int | None, ga100: bool, name: str) -> float:
    """The share of the time that the board's sensor looks at (arXiv 2312.02741): 25 of 100 ms on A100 and H100, 10 of
    20 ms on V100, 20 of 100 ms on Quadro RTX 8000, all of it on GeForce boards of Turing, Ampere and Ada. The counter
    is taken to be made from the same samples."""
    if ga100 or architecture == HOPPER:
        return 0.25
    if architecture == VOLTA:
        return 0.5
    if architecture == TURING and "RTX 8000" in name:
        return 0.2
    return 1.0 if architecture in (TURING, AMPERE, ADA) else UNKNOWN_COVERAGE


def _set_ticks(library: Any, boards: Sequence[_Board], kept: Path | None) -> None:
    """Find out how often each value changes; kept for the same board, driver and call."""
    driver = optional(library, library.nvmlSystemGetDriverVersion)
    reads = {
        f"{board.uuid} driver {driver} {_call(channel)}": read
        for board in boards
        for channel, read in zip(board.channels, board.reads, strict=True)
    }
    found = probed(kept, reads) if reads else {}
    for board in boards:
        names = [f"{board.uuid} driver {driver} {_call(channel)}" for channel in board.channels]
        board.channels = [
            channel.model_copy(update={"tick_s": found.get(name)})
            for channel, name in zip(board.channels, names, strict=True)
        ]


def _call(channel: Channel) -> str:
    """The call that a channel is read by."""
    return channel.source.partition(";")[0]


def _try(
    board: _Board,
    library: Any,
    call: Call,
    unit: Literal["J", "W"],
    source: str,
    average_s: float,
    component: str = "gpu",
) -> bool:
    """Add `call` (mJ or mW) to `board` if it works now. Whatever it does later (a lost board) is a missed read."""
    try:
        call()
    except library.NVMLError as error:
        board.reasons.append(f"{source}: {error}")
        return False

    def read() -> float | None:
        try:
            return call() / 1000
        except library.NVMLError:
            return None

    board.channels.append(
        Channel(
            component=component,
            scope=board.uuid,
            unit=unit,
            kind="counter" if unit == "J" else "integrated",
            average_s=average_s,
            coverage=board.coverage,
            limit_w=board.limit_w if component == "gpu" else None,
            gain=GAIN,
            source=f"{source}; gain {GAIN_SOURCE}",
        )
    )
    board.reads.append(read)
    return True


def _field(library: Any, handle: Any, number: int | tuple[int, int]) -> float:
    """The value of one field, mW. Each field has a return code of its own; NVMLError where it is not success."""
    value = library.nvmlDeviceGetFieldValues(handle, [number])[0]
    if value.nvmlReturn != 0:
        raise library.NVMLError(value.nvmlReturn)
    if not 0 <= value.valueType < len(VALUE_MEMBERS):
        raise library.NVMLError(library.NVML_ERROR_UNKNOWN)
    return float(getattr(value.value, VALUE_MEMBERS[value.valueType]))


def _finding(board: _Board) -> Finding:
    if not board.reads:
        return Finding(
            f"nvml {board.uuid}",
            found=True,
            readable=False,
            reason=f"{board.name}: neither energy nor power: {'; '.join(board.reasons)}",
        )
    costs = []
    for _ in range(5):
        begin = time.perf_counter()
        for read in board.reads:
            read()
        costs.append(time.perf_counter() - begin)
    sources = ", ".join(_call(channel) for channel in board.channels)
    ticks = [channel.tick_s for channel in board.channels if channel.tick_s is not None]
    return Finding(
        f"nvml {board.uuid}",
        found=True,
        readable=True,
        reason=f"{board.name}: {sources}",
        tick_s=max(ticks, default=None),
        read_cost_s=statistics.median(costs),
    )
