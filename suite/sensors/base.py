"""What a sensor is, and the one table of all there are. A new sensor is one new file and one line here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, cast

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import BoardState, Channel

PERF_ROOT = "/sys/bus/event_source/devices/power"
"""Where Linux describes its energy events (Documentation/ABI/testing/sysfs-bus-event_source-devices-events)."""
CPU_ROOT = "/sys/devices/system/cpu"
"""Where Linux tells which package and die a processor lies on (Documentation/ABI/stable/sysfs-devices-system-cpu)."""
POWERCAP_ROOT = "/sys/class/powercap"
"""Where Linux shows RAPL (Documentation/power/powercap/powercap.rst)."""


class Sensor(Protocol):
    """Something that is read again and again by one thread, the one that opened it."""

    @property
    def name(self) -> str:
        """The name of its trace: `rapl`, `nvml`, ..."""

    @property
    def simulated(self) -> bool:
        """Whether its values come from anything but this machine's hardware, now."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What it reads, with empty `values`."""

    @property
    def wrap_j(self) -> tuple[float | None, ...]:
        """For each channel the joules at which its counter starts again from 0; None where it never does."""

    @property
    def period_s(self) -> float:
        """The time between two reads that it wants, seconds."""

    @property
    def stamp_s(self) -> float | None:
        """CLOCK_MONOTONIC of the values last read, where the sensor has time stamps of its own; None where a value is
        of the moment it was read."""

    def read(self) -> Sequence[float | None]:
        """One value a channel, in its unit, counters as they stand (wraps and resets still in them); None where it
        could not be read. Never raises for what a machine may do."""

    def states(self) -> Sequence[BoardState]:
        """The state of each of its boards now (`t_s` is filled in by the sampler); none for most sensors."""

    def close(self) -> None:
        """Let go of all that it holds."""


@dataclass(frozen=True)
class Finding:
    """What was found where a sensor was looked for: a line of `joulemark doctor`."""

    name: str
    """The sensor, or the sensor and its part: `rapl`, `nvml GPU-...`."""
    found: bool
    readable: bool
    reason: str | None = None
    """Why it is not there or not readable, or what weakens it; None where there is nothing to say."""
    fix: str | None = None
    """What to do about it: a command where there is one; None where nothing helps."""
    tick_s: float | None = None
    """Time between two updates of its value, seconds; None where not probed."""
    read_cost_s: float | None = None
    """Median time of one read, seconds; None where not read."""


@dataclass(frozen=True)
class Options:
    """What opening a sensor may depend on."""

    powercap_root: str = POWERCAP_ROOT
    perf_root: str = PERF_ROOT
    cpu_root: str = CPU_ROOT
    argument: str = ""
    """What stood after the colon: the file of `replay:FILE`."""
    ticks: str = ""
    """File that probed ticks are kept in; empty: they are not kept."""
    origin_monotonic_s: float = 0.0
    """CLOCK_MONOTONIC at `run.started_at`, seconds."""


@dataclass(frozen=True)
class Opened:
    """The outcome of looking for a sensor."""

    sensor: Sensor | None
    """None where it cannot be read; a finding then says why."""
    findings: tuple[Finding, ...] = field(default=())


Open = Callable[[Options], Opened]

SENSORS: Mapping[str, str] = MappingProxyType(
    {
        "rapl": "joulemark.suite.sensors.rapl",
        "perf": "joulemark.suite.sensors.rapl_perf",
        "nvml": "joulemark.suite.sensors.nvml",
        "amdsmi": "joulemark.suite.sensors.amd_smi",
        "codecarbon": "joulemark.suite.sensors.power_model",
        "simulated": "joulemark.suite.sensors.simulated",
        "replay": "joulemark.suite.sensors.replay",
        "meter": "joulemark.suite.sensors.wall_meter",
    }
)
"""Where each sensor lives: a module with `find(options: Options) -> Opened` and, where it takes an argument,
`check(argument: str)`, which raises UsageError for one that it cannot use."""

HARDWARE = ("rapl", "nvml", "amdsmi")
"""What is looked for unless a sensor is named."""

BESIDE = frozenset({"meter"})
"""What is read beside the hardware when it is named, and does not stand in for it."""

ESTIMATE = "codecarbon"
STAND_INS = ("perf", ESTIMATE)
"""What is tried in turn while none of the sensors reads the processor: another way to its counters, an estimate."""

HOST_COMPONENTS = frozenset({"package", "cpu"})
"""Components of which one, read, means that the processor needs no estimate."""


def opener(name: str) -> Open:
    """The function that opens the sensor called `name`; UsageError names what there is."""
    try:
        module = SENSORS[name]
    except KeyError:
        raise unknown("sensor", name, SENSORS) from None
    return cast(Open, importlib.import_module(module).find)


def split(request: str) -> tuple[str, str]:
    """`replay:FILE` -> (`replay`, `FILE`); a name alone has an empty argument."""
    name, _, argument = request.partition(":")
    return name, argument


def check(request: str) -> None:
    """UsageError where `request` is no sensor that could be opened: its name is unknown, or its argument no good."""
    name, argument = split(request)
    if name not in SENSORS:
        raise unknown("sensor", name, SENSORS)
    own = getattr(importlib.import_module(SENSORS[name]), "check", None)
    if own is not None:
        own(argument)
    elif argument:
        raise UsageError(f"sensor {name} takes no argument, found {argument!r}. Give --sensor {name}.")


def wanted(requests: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """The sensors to open for `requests`, and whether stand-ins may follow where none reads the processor."""
    if all(split(request)[0] in BESIDE for request in requests):
        return (*HARDWARE, *requests), True
    return tuple(requests), False
